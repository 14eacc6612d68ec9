"""What a process or the machine runs short of, seen from outside, and there again after clearing."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import FaultError
from harness.faults import FaultInjector, Guardian
from harness.faults.held import Held
from harness.faults.procfs import bound
from harness.model.fault import Fault
from harness.model.journal import Event
from harness.model.target import CommandFault, Landscape, ProcessHandle

SERVER = """
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print(server.getsockname()[1], flush=True)
kept = []
while True:
    try:
        connection, _ = server.accept()
    except OSError as error:
        print(error.strerror, flush=True)
        import time; time.sleep(0.05)
        continue
    with connection:
        word = connection.recv(100)
        if word == b"grow":
            try:
                kept.append(bytearray(200 << 20))
            except MemoryError:
                print("MemoryError", flush=True)
                connection.sendall(b"no")
                continue
        if word == b"work":
            n = 0
            for _ in range(3_000_000):
                n += 1
        connection.sendall(b"yes")
"""


class Server:
    """A server of ours, that logs to a file and can be started again on its port."""

    def __init__(self, directory: Path) -> None:
        self.log = directory / "server.log"
        self.log.touch()
        self.port = 0
        self._all: list[subprocess.Popen] = []
        self.start_again("server")

    def start_again(self, _name: str) -> ProcessHandle:
        told = self.log.stat().st_size
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([sys.executable, "-u", "-c", SERVER, str(self.port)], stdout=log, stderr=log)
        self._all.append(self.process)
        deadline = time.monotonic() + 10
        while self.log.stat().st_size == told:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        self.port = self.port or int(self.log.read_text().split()[-1])
        return self.handle

    @property
    def handle(self) -> ProcessHandle:
        now = bound(self.process.pid)
        assert now is not None
        return ProcessHandle(name="server", pid=now.pid, start_ticks=now.start_ticks, log=self.log)

    def ask(self, word: bytes = b"hello", within_s: float = 1.0) -> bytes | None:
        """Return the answer; None where none comes."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=within_s) as connection:
                connection.settimeout(within_s)
                connection.sendall(word)
                return connection.recv(10) or None
        except OSError:
            return None

    def end(self) -> None:
        for process in self._all:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()


class Journal:
    def __init__(self) -> None:
        self.entries: list[tuple[Event, dict]] = []

    def record(self, event: Event, subject: str, /, **data) -> None:
        self.entries.append((event, data))

    def acted(self) -> int | None:
        return next(data["count"] for event, data in reversed(self.entries) if event is Event.FAULT_ACTED)


@pytest.fixture
def server(tmp_path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.end()


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def injector(server, journal) -> Iterator[FaultInjector]:
    landscape = Landscape(links={}, processes={"server": server.handle}, start_again=server.start_again, host=True)
    injector = FaultInjector(landscape, journal.record)
    yield injector
    assert injector.clear_all() == []


def fault(kind: str, at: str = "processes.server", **parameters) -> Fault:
    return Fault(id=kind, at=at, kind=kind, phase="p", apply_ns=0, clear_ns=1, parameters=parameters)


def seconds(work) -> float:
    began = time.monotonic()
    assert work() == b"yes"
    return time.monotonic() - began


def share_at_work(server: Server) -> float:
    """Return which share of a processor a piece of work had: how long it took is the neighbours' doing too."""
    before = cpu_s(server)
    took = seconds(lambda: server.ask(b"work", 60))
    return (cpu_s(server) - before) / took


def cpu_s(server: Server) -> float:
    user, system = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def test_a_starved_process_takes_much_longer_for_its_work(server, injector, journal):
    injector.apply(fault("starve", share=0.1))
    starved = share_at_work(server)
    assert 0 < starved < 0.25
    injector.clear("starve")
    assert journal.acted() >= 2
    assert max(share_at_work(server) for _ in range(3)) > 2 * starved


def test_a_process_without_descriptors_accepts_nobody_until_it_has_some_again(server, injector, journal):
    assert server.ask() == b"yes"
    injector.apply(fault("file_descriptors"))
    server.ask()  # an accept that waits already has its descriptor
    assert server.ask(within_s=0.5) is None
    injector.clear("file_descriptors")
    assert server.ask() == b"yes"
    assert journal.acted() >= 1


def test_a_process_without_memory_is_refused_more_and_lives_on(server, injector, journal):
    injector.apply(fault("memory_ceiling", spare=20))
    assert server.ask(b"grow") == b"no"
    injector.clear("memory_ceiling")
    assert server.ask(b"grow", 5) == b"yes"
    assert journal.acted() == 1


def test_a_crash_loop_kills_again_and_again_and_leaves_the_process_up(server, injector, journal):
    injector.apply(fault("crash_loop", down=100, up=200))
    seen: set[int] = set()
    deadline = time.monotonic() + 15
    while len(seen) < 3:
        assert time.monotonic() < deadline
        seen.add(server.process.pid)
        time.sleep(0.02)
    assert injector.ended_on_purpose() == {"server"}
    injector.clear("crash_loop")
    assert server.ask() == b"yes"
    last = server.process.pid
    assert journal.acted() >= 2
    time.sleep(0.6)
    assert server.process.pid == last, "nobody kills it any more"


@pytest.mark.parametrize("kind", ["starve", "file_descriptors"])
def test_what_a_killed_control_kept_short_is_given_back_by_the_guardian(server, tmp_path, kind):
    guardian = Guardian.start(tmp_path / "state", lease_s=600)
    landscape = Landscape(links={}, processes={"server": server.handle})
    injector = FaultInjector(landscape, lambda *_, **__: None, guardian=guardian)
    injector.apply(fault(kind))
    if kind == "starve":
        hold = injector._backends["resource"]._holds[kind]  # its thread ends with control, in the middle of a stop
        hold.starving._ended.set()
        hold.starving._thread.join()
        os.kill(server.process.pid, signal.SIGSTOP)
    server.ask(within_s=0.3)  # an accept that waits already has its descriptor
    assert server.ask(within_s=0.3) is None
    assert guardian.stop() == []
    assert server.ask() == b"yes"


# -- the machine ----------------------------------------------------------------------------------------------------


def ticks_below(pid: int) -> int:
    """Return the CPU time of the children of a process, in ticks."""
    total = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                total += int(fields[11]) if int(fields[1]) == pid else 0
    return total


def test_a_burnt_processor_is_busy_until_it_is_cleared(injector, journal):
    injector.apply(fault("cpu_burn", "host", cores=1))
    holder = injector._backends["resource"]._holds["cpu_burn"].held.pid
    before = ticks_below(holder)
    time.sleep(0.8)
    assert ticks_below(holder) - before >= 10
    injector.clear("cpu_burn")
    assert not Path(f"/proc/{holder}").exists()
    assert journal.acted() == 1


def test_memory_that_is_taken_is_really_taken_and_given_back(injector):
    injector.apply(fault("memory_fill", "host", megabytes=64))
    holder = injector._backends["resource"]._holds["memory_fill"].held.pid
    status = Path(f"/proc/{holder}/status").read_text()
    resident_kb = int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
    assert resident_kb > 64 * 1024
    injector.clear("memory_fill")
    assert not Path(f"/proc/{holder}").exists()


def test_more_memory_than_the_machine_can_spare_is_never_taken(injector):
    with pytest.raises(FaultError, match="would leave less than 256 MiB"):
        injector.apply(fault("memory_fill", "host", megabytes=65_536))
    assert injector.active() == ()


def test_a_holder_whose_control_hangs_is_ended_by_the_kernel():
    held = Held({"take": "memory", "megabytes": 1, "lease_s": 1})
    try:
        assert held.holds()
        held._process.wait(5)
        assert held._process.returncode == -signal.SIGALRM
    finally:
        held.let_go()


def test_a_disk_that_was_not_made_to_be_filled_is_left_alone(tmp_path, journal):
    (tmp_path / ".harness-may-fill").touch()
    injector = FaultInjector(Landscape(links={}, disks={"disks.data": tmp_path}), journal.record)
    with pytest.raises(FaultError, match="is no file system of its own"):
        injector.apply(fault("disk_full", "disks.data"))
    assert injector.active() == ()


FILLING = """
import errno, json, os, sys
from pathlib import Path
from harness.faults import FaultInjector
from harness.model.fault import Fault
from harness.model.target import Landscape
disk = Path(sys.argv[1])
told = []
injector = FaultInjector(Landscape(links={}, disks={"disks.data": disk}), lambda event, _s, /, **data: told.append(event.value))
fault = Fault(id="f", at="disks.data", kind="disk_full", phase="p", apply_ns=0, clear_ns=1)
try:
    injector.apply(fault)
except Exception as error:
    print("refused:", error.message); sys.exit()
try:
    (disk / "more").write_bytes(b"x" * 100_000)
except OSError as error:
    full = error.errno
assert full == errno.ENOSPC
injector.clear("f")
(disk / "more").write_bytes(b"x" * 100_000)
assert sorted(path.name for path in disk.iterdir()) == [".harness-may-fill", "more"]
print("as before")
"""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare(1) for a file system of its own")
@pytest.mark.parametrize(("made_for_it", "told"), [(True, "as before"), (False, "has no file .harness-may-fill")])
def test_a_disk_made_for_it_is_full_for_others_and_has_room_again(tmp_path, made_for_it, told):
    disk = tmp_path / "disk"
    disk.mkdir()
    mark = f"touch {disk}/.harness-may-fill;" if made_for_it else ""
    (tmp_path / "filling.py").write_text(FILLING)
    script = f"mount -t tmpfs -o size=8m tmpfs {disk} && {mark} exec {sys.executable} {tmp_path}/filling.py {disk}"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", script], capture_output=True, text=True, timeout=60, env=environment, check=False
    )
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip(f"no file system can be made here: {done.stderr.strip()}")
    assert told in done.stdout, done.stderr


# -- the user's own -------------------------------------------------------------------------------------------------


def own(directory: Path, **changes) -> Landscape:
    broken, count = directory / "broken", directory / "count"
    words = {
        "apply": ("touch", str(broken)),
        "confirm": ("test", "-e", str(broken)),
        "clear": ("rm", "-f", str(broken)),
        "prove": ("test", "!", "-e", str(broken)),
        "acted": ("cat", str(count)),
    }
    return Landscape(links={}, commands={"commands.mine": CommandFault(name="mine", within_s=1.0, **{**words, **changes})})


def test_a_fault_of_the_users_own_is_applied_confirmed_cleared_and_proved_clear(tmp_path, journal):
    (tmp_path / "count").write_text("3\n")
    injector = FaultInjector(own(tmp_path), journal.record)
    injector.apply(fault("command", "commands.mine"))
    assert (tmp_path / "broken").exists()
    (tmp_path / "count").write_text("8\n")
    injector.clear("command")
    assert not (tmp_path / "broken").exists()
    assert journal.acted() == 5


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"confirm": ("false",)}, "'false' ended with 1"),
        ({"apply": ("sleep", "30")}, "'sleep' did not end within 1 s"),
        ({"apply": ("no-such-program",)}, "'no-such-program' cannot be run"),
        ({"prove": ("false",)}, "is in force before it is applied"),
    ],
)
def test_a_command_that_fails_hangs_or_is_not_there_leaves_nothing_applied(tmp_path, journal, changes, told):
    injector = FaultInjector(own(tmp_path, **changes), journal.record)
    with pytest.raises(FaultError, match=told):
        injector.apply(fault("command", "commands.mine"))
    assert not (tmp_path / "broken").exists()


def test_the_guardian_runs_the_users_clearing_command(tmp_path, journal):
    guardian = Guardian.start(tmp_path / "state", lease_s=600)
    injector = FaultInjector(own(tmp_path), journal.record, guardian=guardian)
    injector.apply(fault("command", "commands.mine"))
    assert json.loads(guardian.undo_list.read_text())["steps"]["command"][0]["command"][0] == "rm"
    assert guardian.stop() == []
    assert not (tmp_path / "broken").exists()
    assert injector.clear_all() == []
