"""What a description adds to the faults of a target: commands of the user's own, and processes that systemd knows."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

from harness.errors import ConfigurationError, FaultError
from harness.faults import FaultInjector
from harness.model.fault import Fault
from harness.model.journal import Event
from harness.model.target import Needs
from harness.target.description import read_description
from harness.target.external import ExternalTarget
from harness.target.external.running import RunningExternal

DESCRIPTION = """
name: mine
base_url: http://127.0.0.1:${port}
auth: {value: none}
start:
  command: ["${python}", "${here}/server.py", "${port}", "${here}/clock"]
  ready: {get: /, within: 30s}
processes: {worker: {unit: worker.service}}
clocks: {service: {file: clock, seen_at: /}}
disks: {data: ./data}
faults:
  gate:
    apply: [touch, "${here}/closed"]
    confirm: [./is_closed.sh]
    clear: [rm, -f, "${here}/closed"]
    prove: [test, "!", -e, "${here}/closed"]
    acted: [./times.sh]
"""

SERVER = """
import http.server, pathlib, sys, time
class Handler(http.server.SimpleHTTPRequestHandler):
    def date_time_string(self, timestamp=None):
        file = pathlib.Path(sys.argv[2])
        moved = float(file.read_text()) if file.exists() else 0
        return super().date_time_string(time.time() + moved if timestamp is None else timestamp)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

SYSTEMCTL = """#!/bin/sh
# What the harness asks of systemd: which process is it, and start it.
case "$1" in
  show) [ "$*" = "show --property=MainPID --value worker.service" ] && cat {pid} ;;
  start) [ "$2" = worker.service ] && (setsid sleep 600 >/dev/null 2>&1 & echo $! > {pid}) ;;
esac
"""


class Journal:
    def __init__(self) -> None:
        self.entries: list[tuple[Event, dict]] = []

    def record(self, event: Event, subject: str, /, **data) -> None:
        self.entries.append((event, data))

    def acted(self) -> int | None:
        return next(data["count"] for event, data in reversed(self.entries) if event is Event.FAULT_ACTED)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    pid = tmp_path / "worker.pid"
    (tmp_path / "bin").mkdir()
    for name, text in {
        "bin/systemctl": SYSTEMCTL.format(pid=pid),
        "server.py": SERVER,
        "is_closed.sh": f"#!/bin/sh\ntest -e {tmp_path}/closed\n",
        "times.sh": f"#!/bin/sh\ncat {tmp_path}/times 2>/dev/null || echo 0\n",
    }.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    subprocess.run([tmp_path / "bin/systemctl", "start", "worker.service"], check=True)
    (tmp_path / "target.yaml").write_text(DESCRIPTION)
    yield tmp_path
    os.kill(int(pid.read_text()), signal.SIGKILL)


def start(folder: Path) -> RunningExternal:
    target = ExternalTarget(read_description(folder / "target.yaml"), state_directory=folder / "state", checked=False)
    assert {"commands.gate", "processes.worker"} <= target.offer().places
    assert "processes.worker" not in target.offer().freeze_only
    return target.start(Needs(principals=1), folder / "logs")


def fault(kind: str, at: str) -> Fault:
    return Fault(id=f"f-{kind}", at=at, kind=kind, phase="p", apply_ns=0, clear_ns=1)


def test_commands_of_a_description_are_faults_and_a_unit_is_ended_and_started_again_by_systemd(folder: Path) -> None:
    running, journal = start(folder), Journal()
    injector = FaultInjector(running.landscape, journal.record)
    try:
        injector.apply(fault("command", "commands.gate"))
        assert (folder / "closed").exists()
        (folder / "times").write_text("3\n")
        injector.clear("f-command")
        assert not (folder / "closed").exists()
        assert journal.acted() == 3

        before = int((folder / "worker.pid").read_text())
        injector.apply(fault("kill", "processes.worker"))
        with pytest.raises(ProcessLookupError):
            gone(before)
        injector.clear("f-kill")
        after = int((folder / "worker.pid").read_text())
        assert after != before
        os.kill(after, 0)
        assert running.died() == []

        skew = Fault(
            id="skew", at="clocks.service", kind="clock_skew", phase="p", apply_ns=0, clear_ns=1, parameters={"offset": -86_400}
        )
        injector.apply(skew)
        assert date_off_s(running.base_url) == pytest.approx(-86_400, abs=30)
        injector.clear("skew")
        assert date_off_s(running.base_url) == pytest.approx(0, abs=30)

        with pytest.raises(FaultError, match="data is no file system of its own"):
            injector.apply(fault("disk_full", "disks.data"))

        injector.apply(fault("freeze", "processes.worker"))
        assert Path(f"/proc/{after}/stat").read_text().rpartition(")")[2].split()[0] == "T"
        injector.clear("f-freeze")
    finally:
        assert injector.clear_all() == []
        running.stop()
    os.kill(after, 0)  # what ran before the run stays when it is over


def date_off_s(url: str) -> float:
    return parsedate_to_datetime(httpx.get(url, trust_env=False).headers["date"]).timestamp() - time.time()


def gone(pid: int) -> None:
    """Raise ProcessLookupError once a process is no more, or a zombie of this test's shell."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            raise ProcessLookupError(pid)
        time.sleep(0.01)


def test_a_unit_that_runs_nothing_ends_the_run_before_it_begins(folder: Path) -> None:
    pid = (folder / "worker.pid").read_text()
    (folder / "worker.pid").write_text("0\n")
    try:
        with pytest.raises(ConfigurationError, match=r"unit worker\.service runs no process"):
            start(folder)
    finally:
        (folder / "worker.pid").write_text(pid)


def test_a_command_that_refuses_is_told_and_leaves_nothing(folder: Path) -> None:
    (folder / "is_closed.sh").write_text("#!/bin/sh\necho the gate jams >&2; exit 3\n")
    running = start(folder)
    injector = FaultInjector(running.landscape, Journal().record)
    try:
        with pytest.raises(FaultError, match="ended with 3: the gate jams"):
            injector.apply(fault("command", "commands.gate"))
        assert not (folder / "closed").exists()
        assert injector.active() == ()
    finally:
        running.stop()
