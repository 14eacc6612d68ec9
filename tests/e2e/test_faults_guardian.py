"""Whatever is killed, and when: what was broken is whole again."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from harness.errors import FaultError
from harness.faults import FaultInjector, Guardian, heal_leftovers
from harness.faults.guardian.undo import ResumeStep
from harness.faults.procfs import Bound, bound, is_stopped, lives
from harness.model.fault import Fault
from harness.model.journal import Event
from harness.model.target import Landscape, Link, ProcessHandle

CONTROL = """
import json, sys, time
from pathlib import Path
from harness.faults import FaultInjector, Guardian
from harness.model.fault import Fault
from harness.model.target import Landscape, Link, ProcessHandle

given = json.loads(sys.stdin.readline())
landscape = Landscape(
    links={"links.x": Link(**given["link"])},
    processes={"sleeper": ProcessHandle(name="sleeper", pid=given["pid"], start_ticks=given["ticks"])},
)
guardian = Guardian.start(Path(given["directory"]), lease_s=given["lease_s"])
injector = FaultInjector(landscape, lambda *_, **__: None, lease_s=given["lease_s"], guardian=guardian)
for name, at, kind in (("a", "links.x", "latency"), ("b", "processes.sleeper", "freeze")):
    parameters = {"latency": 60} if kind == "latency" else {}
    injector.apply(Fault(id=name, at=at, kind=kind, phase="p", apply_ns=0, clear_ns=1, parameters=parameters))
print(json.dumps({"guardian": guardian.pid}), flush=True)
time.sleep(60)
"""


class World:
    """A proxy, a process to freeze, and a control that breaks both."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.children: list[subprocess.Popen] = []
        self.sleeper = self._bound(self._start([sys.executable, "-c", "import time; time.sleep(60)"]))
        proxy = self._start([sys.executable, "-m", "harness.faultproxy", "--port", "0"])
        assert proxy.stdout is not None
        self.api = f"http://{json.loads(proxy.stdout.readline())['api']}"
        self.upstream = socket.create_server(("127.0.0.1", 0))
        upstream = f"127.0.0.1:{self.upstream.getsockname()[1]}"
        body = {"name": "x", "listen": "127.0.0.1:0", "upstream": upstream}
        listen = httpx.post(f"{self.api}/proxies", json=body, trust_env=False).json()["listen"]
        self.link = Link(name="links.x", proxy="x", toxiproxy_url=self.api, listen=listen, upstream=upstream)

    def control(self, lease_s: float = 600.0) -> tuple[subprocess.Popen, Bound]:
        """Start a control; return it and its guardian once both faults are in force."""
        process = self._start([sys.executable, "-c", CONTROL])
        given = {
            "link": {name: getattr(self.link, name) for name in ("name", "proxy", "toxiproxy_url", "listen", "upstream")},
            "pid": self.sleeper.pid,
            "ticks": self.sleeper.start_ticks,
            "directory": str(self.directory),
            "lease_s": lease_s,
        }
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(given).encode() + b"\n")
        process.stdin.flush()
        guardian = bound(json.loads(process.stdout.readline())["guardian"])
        assert guardian is not None
        assert self.broken() == (True, True)
        return process, guardian

    def broken(self) -> tuple[bool, bool]:
        """Return whether the link has its toxic and whether the process stands still."""
        return bool(httpx.get(f"{self.api}/proxies/x/toxics", trust_env=False).json()), is_stopped(self.sleeper)

    def lists(self) -> list[Path]:
        return list(self.directory.iterdir())

    def end(self) -> None:
        self.upstream.close()
        for process in self.children:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()

    def _start(self, command: list[str]) -> subprocess.Popen:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.children.append(process)
        return process

    def _bound(self, process: subprocess.Popen) -> Bound:
        now = bound(process.pid)
        assert now is not None
        return now


@pytest.fixture
def world(tmp_path) -> Iterator[World]:
    world = World(tmp_path / "state")
    yield world
    world.end()


def eventually(holds: Callable[[], bool], within_s: float = 8.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_control_that_is_killed_leaves_nothing_broken(world):
    control, guardian = world.control()
    assert len(world.lists()) == 1
    control.kill()
    eventually(lambda: world.broken() == (False, False))
    eventually(lambda: not lives(guardian))
    assert world.lists() == []


def test_a_control_that_hangs_loses_its_faults_when_the_lease_ends(world):
    control, guardian = world.control(lease_s=0.6)
    time.sleep(1.0)
    assert world.broken() == (True, True), "renewed while it lives"
    control.send_signal(signal.SIGSTOP)
    eventually(lambda: world.broken() == (False, False))
    assert lives(guardian)


def test_an_interrupt_from_the_terminal_does_not_reach_the_guardian(world):
    control, guardian = world.control()
    assert os.getpgid(guardian.pid) != os.getpgid(control.pid)
    os.kill(guardian.pid, signal.SIGINT)
    time.sleep(0.3)
    assert lives(guardian)
    assert world.broken() == (True, True)


def test_a_guardian_that_is_told_to_end_heals_first(world):
    _, guardian = world.control()
    os.kill(guardian.pid, signal.SIGTERM)
    eventually(lambda: not lives(guardian))
    assert world.broken() == (False, False)
    assert world.lists() == []


def test_what_a_killed_guardian_and_a_killed_control_leave_is_healed_by_the_next_one_who_looks(world):
    control, guardian = world.control()
    assert heal_leftovers(world.directory) == [], "a list whose guardian lives is its own business"
    assert world.broken() == (True, True)
    os.kill(guardian.pid, signal.SIGKILL)
    control.kill()
    control.wait()
    time.sleep(0.2)
    assert world.broken() == (True, True)
    assert heal_leftovers(world.directory) == [
        "healed fault b, left behind by a run that was killed",
        "healed fault a, left behind by a run that was killed",
    ]
    assert world.broken() == (False, False)
    assert world.lists() == []
    assert heal_leftovers(world.directory) == []


# -- from the same process ------------------------------------------------------------------------------------------


def fault(fault_id: str, at: str, kind: str, **parameters) -> Fault:
    return Fault(id=fault_id, at=at, kind=kind, phase="p", apply_ns=0, clear_ns=1, parameters=parameters)


def test_a_guardian_with_nothing_left_ends_at_once_and_takes_its_list_along(tmp_path):
    guardian = Guardian.start(tmp_path)
    guardian.hold("a", (ResumeStep(pid=2**22 + 5, start_ticks=1),))
    assert json.loads(guardian.undo_list.read_bytes())["steps"] == {
        "a": [{"step": "resume", "pid": 2**22 + 5, "start_ticks": 1}],
    }
    guardian.release("a")
    assert json.loads(guardian.undo_list.read_bytes())["steps"] == {}
    assert guardian.stop() == []
    assert guardian.stop() == []
    assert list(tmp_path.iterdir()) == []


def test_no_fault_is_applied_once_the_guardian_is_gone(world):
    told: list[Event] = []
    guardian = Guardian.start(world.directory)
    injector = FaultInjector(
        Landscape(links={"links.x": world.link}), lambda event, _subject, /, **_: told.append(event), guardian=guardian
    )
    os.kill(guardian.pid, signal.SIGKILL)
    with pytest.raises(FaultError, match="the guardian of faults"):
        injector.apply(fault("a", "links.x", "latency", latency=60))
    assert world.broken() == (False, False)
    assert Event.FAULT_FAILED in told
    with pytest.raises(FaultError, match="the guardian of faults is gone"):
        guardian.hold("b", ())
    guardian.stop()


def test_a_cleared_fault_is_off_the_guardians_list(world):
    guardian = Guardian.start(world.directory)
    handle = ProcessHandle(name="sleeper", pid=world.sleeper.pid, start_ticks=world.sleeper.start_ticks)
    injector = FaultInjector(Landscape(links={}, processes={"sleeper": handle}), lambda *_, **__: None, guardian=guardian)
    injector.apply(fault("a", "processes.sleeper", "freeze"))
    assert list(json.loads(guardian.undo_list.read_bytes())["steps"]) == ["a"]
    injector.clear("a")
    assert json.loads(guardian.undo_list.read_bytes())["steps"] == {}
    assert guardian.stop() == []


def test_a_place_that_cannot_be_written_to_is_told_before_any_fault(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(FaultError, match="cannot be started"):
        Guardian.start(blocked)


def test_a_guardian_that_cannot_keep_its_list_says_so(tmp_path):
    guardian = Guardian.start(tmp_path / "state")
    guardian.undo_list.unlink()
    guardian.undo_list.parent.rmdir()
    with pytest.raises(FaultError, match="cannot keep its list"):
        guardian.hold("a", ())
    guardian.stop()
