"""The load processes: started, told to go, watched, and stopped for certain.

One worker alone is one process. Several are Locust's master and its workers: those of this machine are started here, those
of other machines come to the master by themselves. The conductor sees no difference.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from harness.errors import LoadError
from harness.model.assignment import Assignment, Go, Lost, Muster
from harness.run.load_child import Child, Message
from harness.rundir import codec

READY_WITHIN_S = 30.0
POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathering:
    """How the workers of a run come together.

    expect: how many come from elsewhere; with any, none is started here. token: theirs and ours, None for a fresh one.
    allowed_hosts: hosts beside loopback that may get load. web_port: where Locust's web UI is shown, None for nowhere.
    """

    expect: int = 0
    bind_host: str = "127.0.0.1"
    bind_port: int = 0
    max_wait_s: float = 60.0
    token: str | None = field(default=None, repr=False)
    allowed_hosts: tuple[str, ...] = ()
    web_port: int | None = None


class Load(Protocol):
    """The load of one run, however many processes it is."""

    def wait_ready(self) -> None:
        """Wait until everything is laid out and connected. Raises LoadError."""

    def go(self, zero_monotonic_ns: int) -> None:
        """Tell the run's zero. Raises LoadError."""

    def ended(self) -> bool:
        """Return True once everything was sent, drained and written. Raises LoadError if nothing can come any more."""

    def stop(self) -> None:
        """End every process: samples are closed where that is still possible."""


def start_load(
    assignment: Assignment,
    logs: Path,
    *,
    workers: int = 1,
    gathering: Gathering | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Load:
    """Start what sends the load of one run. Raises LoadError."""
    gathering = gathering or Gathering()
    assignment = replace(assignment, allowed_hosts=(*assignment.allowed_hosts, *gathering.allowed_hosts))
    if gathering.expect == 0 and workers == 1 and gathering.web_port is None:
        return LoadProcess(assignment, logs / "load-0.log")
    return LoadFleet(replace(assignment, workers=gathering.expect or workers), logs, gathering, say)


class LoadProcess:
    """One load worker, alone."""

    def __init__(self, assignment: Assignment, log: Path) -> None:
        """Start the worker and hand it its assignment. Raises LoadError."""
        self._child = Child([], log, name="the load worker")
        self._child.send(codec.to_json(assignment))

    def wait_ready(self) -> None:
        """Wait until the worker holds its schedule and warm connections. Raises LoadError."""
        self._child.wait_for("ready", READY_WITHIN_S)

    def go(self, zero_monotonic_ns: int) -> None:
        """Tell the worker the run's zero."""
        self._child.send(codec.to_json(Go(zero_monotonic_ns=zero_monotonic_ns)))

    def ended(self) -> bool:
        """Return True once the worker has said that it sent and drained everything. Raises LoadError if it died."""
        for message in self._child.messages():
            if message is None:
                raise self._child.why("the load worker died in the middle of the run")
            if message.get("event") == "ended":
                return True
        return False

    def stop(self, within_s: float = 2.0) -> None:
        """End the worker: it closes its samples when its input closes, and is killed if it does not."""
        self._child.close()
        self._child.wait(within_s)


class LoadFleet:
    """Locust's master, and the workers that are started here. A worker that dies is lost; the rest goes on."""

    def __init__(self, assignment: Assignment, logs: Path, gathering: Gathering, say: Callable[[str], None]) -> None:
        token = gathering.token or secrets.token_urlsafe(32)
        self._gathering = gathering
        self._say = say
        self._ended = False
        self._workers: list[Child] = []
        self._killed: set[int] = set()
        self._master = Child(["lead"], logs / "load-master.log", name="the load master")
        try:
            self._master.send(codec.to_json(self._muster(assignment, token)))
            listening = self._master.wait_for("listening", READY_WITHIN_S)
            port = listening["port"]
            assert isinstance(port, int)
            if gathering.expect:
                say(
                    f"waiting for {gathering.expect} load worker(s): harness worker --master {gathering.bind_host}:{port} "
                    f"--target {assignment.base_url}"
                )
            for number in range(assignment.workers - gathering.expect):
                child = Child([], logs / f"load-{number}.log", name=f"load worker {number}")
                self._workers.append(child)
                child.send(codec.to_json(replace(assignment, worker=number, master=f"127.0.0.1:{port}", token=token)))
        except BaseException:
            self.stop()
            raise
        if gathering.web_port is not None:
            say(f"Locust's web UI, to watch only: http://127.0.0.1:{gathering.web_port}")

    def _muster(self, assignment: Assignment, token: str) -> Muster:
        gathering = self._gathering
        return Muster(
            assignment=assignment,
            token=token,
            remote=gathering.expect,
            bind_host=gathering.bind_host,
            bind_port=gathering.bind_port,
            max_wait_s=gathering.max_wait_s,
            web_port=gathering.web_port,
        )

    def wait_ready(self) -> None:
        """Wait until every worker is in and ready. Raises LoadError."""
        deadline = time.monotonic() + self._gathering.max_wait_s + READY_WITHIN_S
        while True:
            for message in self._master.messages():
                if self._hear(message) == "ready":
                    return
            for child in self._workers:
                child.raise_if_over("at its start")
            if time.monotonic() > deadline:
                raise LoadError(f"the load workers were not ready in time{self._master.last_lines()}")
            time.sleep(POLL_S)

    def go(self, zero_monotonic_ns: int) -> None:
        """Tell the master the run's zero."""
        self._master.send(codec.to_json(Go(zero_monotonic_ns=zero_monotonic_ns)))

    def ended(self) -> bool:
        """Return True once every worker has ended or is lost, and the master has written what was lost."""
        for message in self._master.messages():
            self._hear(message)
        for number, child in enumerate(self._workers):
            child.raise_if_failed()
            if child.was_killed() and number not in self._killed:
                self._killed.add(number)
                self._master.send(codec.to_json(Lost(lost_worker=number)))
        return self._ended

    def stop(self, within_s: float = 2.0) -> None:
        """End every process."""
        for child in (*self._workers, self._master):
            child.close()
        for child in (*self._workers, self._master):
            child.wait(within_s)

    def _hear(self, message: Message | None) -> object:
        if message is None:
            if self._ended:
                return None
            raise LoadError(f"the load master died{self._master.last_lines()}")
        event = message.get("event")
        if event == "lost":
            self._say(
                f"WARNING: load worker {message.get('worker')} on {message.get('host')} was lost; its arrivals are not sent"
            )
        elif event == "joined" and self._gathering.expect:
            self._say(f"load worker {message.get('worker')} came from {message.get('host')}")
        elif event == "trouble":
            raise LoadError(f"load worker {message.get('worker')}: {message.get('reason')}")
        self._ended = self._ended or event == "ended"
        return event
