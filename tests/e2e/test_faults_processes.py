"""Faults on real processes, seen from outside: by a pipe that answers, or does not."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from harness.errors import FaultError, StackError
from harness.faults import FaultInjector
from harness.faults.process import ProcessBackend
from harness.faults.procfs import Bound, below, bound, is_stopped, lives, refusal, send
from harness.model.fault import Fault
from harness.model.journal import Event
from harness.model.target import Landscape, ProcessHandle

ANSWERER = """
import os, signal, subprocess, sys, threading
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "parent" in sys.argv:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print(child.pid, flush=True)
else:
    print("ready", flush=True)
for line in sys.stdin:
    print("yes", flush=True)
"""


class Stack:
    """A process that answers a line with a line, and can be started again."""

    def __init__(self, *words: str) -> None:
        self._words = words
        self._all: list[subprocess.Popen] = []
        self.start()

    def start(self) -> ProcessHandle:
        command = [sys.executable, "-c", ANSWERER, *self._words]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._all.append(self.process)
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline().decode().strip()
        return self.handle

    @property
    def handle(self) -> ProcessHandle:
        now = bound(self.process.pid)
        assert now is not None
        return ProcessHandle(name="worker", pid=now.pid, start_ticks=now.start_ticks)

    def start_again(self, name: str) -> ProcessHandle:
        assert name == "worker"
        return self.start()

    def answers(self, within_s: float = 0.2) -> bool:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"?\n")
        self.process.stdin.flush()
        os.set_blocking(self.process.stdout.fileno(), False)
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if self.process.stdout.read1(100):
                return True
            time.sleep(0.005)
        return False

    def end(self) -> None:
        for process in self._all:
            with contextlib.suppress(ProcessLookupError):
                for part in below(Bound(pid=process.pid, start_ticks=0)):
                    os.kill(part.pid, signal.SIGKILL)
            process.kill()
            process.wait()


class Journal:
    def __init__(self) -> None:
        self.entries: list[tuple[Event, dict]] = []

    def record(self, event: Event, subject: str, /, **data) -> None:
        self.entries.append((event, data))

    def acted(self) -> dict:
        return next(data for event, data in reversed(self.entries) if event is Event.FAULT_ACTED)


@pytest.fixture
def stack() -> Iterator[Stack]:
    stack = Stack()
    yield stack
    stack.end()


@pytest.fixture
def parent() -> Iterator[Stack]:
    stack = Stack("parent")
    yield stack
    stack.end()


@pytest.fixture
def journal() -> Journal:
    return Journal()


def injector_of(stack: Stack, journal: Journal, *, again: bool = True) -> FaultInjector:
    landscape = Landscape(links={}, processes={"worker": stack.handle}, start_again=stack.start_again if again else None)
    return FaultInjector(landscape, journal.record)


def fault(kind: str, **parameters) -> Fault:
    at = "processes.worker"
    return Fault(id=kind, at=at, kind=kind, phase="outage", apply_ns=0, clear_ns=1, parameters=parameters)


def test_a_frozen_process_is_silent_and_goes_on_when_it_is_thawed(stack, journal):
    injector = injector_of(stack, journal, again=False)
    assert stack.answers(2)
    injector.apply(fault("freeze"))
    assert not stack.answers()
    injector.clear("freeze")
    assert stack.answers(2)
    assert journal.acted() == {"by": "target", "count": 1}


def test_a_freeze_takes_the_processes_below_along(parent, journal):
    child = bound(int(parent.said))
    assert child is not None
    injector = injector_of(parent, journal)
    injector.apply(fault("freeze"))
    assert is_stopped(child)
    injector.clear("freeze")
    assert not is_stopped(child)
    assert journal.acted() == {"by": "target", "count": 2}


def test_a_freeze_of_one_process_alone_leaves_those_below_running(parent, journal):
    child = bound(int(parent.said))
    assert child is not None
    injector = injector_of(parent, journal)
    injector.apply(fault("freeze", tree=False))
    assert not is_stopped(child)
    injector.clear("freeze")


def test_a_killed_process_is_gone_and_started_again_at_the_clearing(stack, journal):
    injector = injector_of(stack, journal)
    old = stack.process
    injector.apply(fault("kill"))
    assert old.wait(5) == -signal.SIGKILL
    assert injector.ended_on_purpose() == {"worker"}
    injector.clear("kill")
    assert stack.process.pid != old.pid
    assert stack.answers(2)
    injector.apply(fault("freeze"))
    assert not stack.answers(), "the next fault meets the new process"
    injector.clear("freeze")


def test_a_kill_takes_the_processes_below_along(parent, journal):
    child = bound(int(parent.said))
    assert child is not None
    injector = injector_of(parent, journal)
    injector.apply(fault("kill"))
    deadline = time.monotonic() + 5
    while lives(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    injector.clear("kill")


def test_a_terminated_process_ends_and_is_started_again(stack, journal):
    injector = injector_of(stack, journal)
    old = stack.process
    injector.apply(fault("terminate"))
    assert old.wait(5) == -signal.SIGTERM
    injector.clear("terminate")
    assert stack.answers(2)


def test_a_process_that_ignores_the_request_to_end_is_an_error_and_lives_on(journal):
    stack = Stack("stubborn")
    try:
        injector = injector_of(stack, journal)
        with pytest.raises(FaultError, match="has not ended within 100 ms"):
            injector.apply(fault("terminate", within=100))
        assert stack.answers(2)
        assert injector.active() == ()
    finally:
        stack.end()


def test_a_restart_is_over_at_once(stack, journal):
    injector = injector_of(stack, journal)
    old = stack.process
    injector.apply(fault("restart"))
    assert old.wait(5) == -signal.SIGTERM
    assert stack.answers(2)
    new = stack.process
    injector.clear("restart")
    assert stack.process is new


@pytest.mark.parametrize("kind", ["kill", "terminate", "restart"])
def test_nothing_is_ended_that_cannot_be_started_again(stack, journal, kind):
    with pytest.raises(FaultError, match="cannot start it again"):
        injector_of(stack, journal, again=False).apply(fault(kind))
    assert stack.answers(2)


def test_a_process_that_is_dead_already_is_an_error(stack, journal):
    injector = injector_of(stack, journal)
    stack.process.kill()
    stack.process.wait()
    with pytest.raises(FaultError, match="is dead already"):
        injector.apply(fault("freeze"))
    assert injector.active() == ()


def test_a_pid_that_another_process_has_now_is_left_alone(stack, journal):
    handle = stack.handle
    reused = ProcessHandle(name="worker", pid=handle.pid, start_ticks=handle.start_ticks - 1)
    injector = FaultInjector(Landscape(links={}, processes={"worker": reused}, start_again=stack.start_again), journal.record)
    for kind in ("freeze", "kill"):
        with pytest.raises(FaultError):
            injector.apply(fault(kind))
    assert stack.answers(2)


def test_a_process_that_the_target_started_again_by_itself_is_found_anew_and_a_dead_one_is_not(stack, journal):
    known = [stack.handle]
    injector = FaultInjector(
        Landscape(links={}, processes={"worker": known[0]}, start_again=stack.start_again, process_now=lambda _: known[-1]),
        journal.record,
    )
    stack.process.kill()
    stack.process.wait()
    with pytest.raises(FaultError, match="dead already"):
        injector.apply(fault("freeze"))
    known.append(stack.start())
    injector.apply(fault("freeze"))
    assert not stack.answers()
    injector.clear("freeze")
    assert stack.answers(2)


def test_a_process_that_became_another_program_is_left_alone(journal):
    program = "import os, sys; sys.stdin.readline(); os.execv('/bin/sleep', ['sleep', '30'])"
    process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE)
    try:
        now = bound(process.pid)
        assert now is not None
        deadline = time.monotonic() + 5
        while b"stdin" not in open(f"/proc/{now.pid}/cmdline", "rb").read():  # noqa: SIM115, PTH123 - one read of a kernel file
            assert time.monotonic() < deadline
        backend = ProcessBackend({"worker": ProcessHandle(name="worker", pid=now.pid, start_ticks=now.start_ticks)})
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
        while b"stdin" in open(f"/proc/{now.pid}/cmdline", "rb").read():  # noqa: SIM115, PTH123 - one read of a kernel file
            assert time.monotonic() < deadline
        with pytest.raises(FaultError, match=r"runs .*sleep now"):
            backend.apply(fault("freeze"))
        assert not is_stopped(now)
    finally:
        process.kill()
        process.wait()


def test_a_start_that_fails_is_told_and_the_fault_stays_active(stack, journal):
    def refuses(_name: str) -> ProcessHandle:
        raise StackError("worker was not ready within 5 s")

    injector = FaultInjector(Landscape(links={}, processes={"worker": stack.handle}, start_again=refuses), journal.record)
    injector.apply(fault("kill"))
    with pytest.raises(FaultError, match="did not start again: worker was not ready"):
        injector.clear("kill")
    assert [each.id for each in injector.active()] == ["kill"]


def test_init_ourselves_and_our_ancestors_are_never_touched(journal):
    for pid in (1, os.getpid(), os.getppid()):
        now = bound(pid)
        assert now is not None
        assert refusal(now)
        handle = ProcessHandle(name="worker", pid=pid, start_ticks=now.start_ticks)
        with pytest.raises(FaultError, match="is not touched"):
            FaultInjector(Landscape(links={}, processes={"worker": handle}), journal.record).apply(fault("freeze"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_process_of_another_user_is_never_touched(stack):
    handle = stack.handle
    program = (
        "import os, sys; os.setgid(65534); os.setuid(65534)\n"
        "from harness.faults.procfs import Bound, refusal\n"
        f"print(refusal(Bound(pid={handle.pid}, start_ticks={handle.start_ticks})))"
    )
    # The interpreter may live where the other user cannot read: import first, then change.
    lines = program.split("\n")
    program = "\n".join([lines[1], lines[0], lines[2]])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "another user" in done.stdout


def test_a_signal_reaches_the_process_that_was_meant_or_nobody(stack):
    handle = stack.handle
    with pytest.raises(FaultError, match="its pid may be another's now"):
        send(Bound(pid=handle.pid, start_ticks=handle.start_ticks - 1), signal.SIGSTOP)
    assert stack.answers(2)
