"""`python -m harness.load [lead | join | look]`: a load worker, the master of several, or a worker for a master elsewhere.

The first two are driven over their standard input (`harness.model.assignment`); `join` takes its orders from its own
command line and from the master. `look FILE` imports a locustfile, says what is in it and sends nothing.
"""

from harness.load.plugins_once import plugins_looked_for_once

with plugins_looked_for_once():
    import locust  # noqa: F401 - patches sockets and threads, which must come before everything else

import argparse
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import gevent

from harness.errors import ConfigurationError, ExitCode, HarnessError
from harness.load.carrier import Carrier
from harness.load.join import JoinedWorker, Joining
from harness.load.leader import Leader
from harness.load.locustfile import import_locustfile
from harness.load.member import Member
from harness.load.messages import ARMED, ENDED, READY, Empty, Ended, Ready
from harness.load.only_allowed import OnlyAllowed
from harness.load.orders import Orders
from harness.load.seal import Seal
from harness.load.senders import KEY_VARIABLE, refused
from harness.load.worker import Worker
from harness.model.assignment import Assignment, Lost
from harness.rundir.codec import from_json

TOKEN_VARIABLE = "HARNESS_WORKER_TOKEN"  # noqa: S105 - the name of a variable, not its value
_KEPT_WITHIN_S = 1.0


class _Life(Protocol):
    def run(self) -> None: ...

    def stop(self) -> None: ...


class _Channel:
    """Where the conductor hears us. What a locustfile prints must not be taken for a word of ours: it goes to the log."""

    def __init__(self) -> None:
        self._fd = os.dup(1)
        os.dup2(2, 1)

    def tell(self, event: Mapping[str, object]) -> None:
        """Write one event. A conductor that is gone reads none, and the samples matter more."""
        _write(self._fd, json.dumps(event).encode() + b"\n")


class _Alone:
    """A worker that the conductor drives; with a master in its assignment, that gives the zero."""

    def __init__(self, channel: _Channel) -> None:
        self._channel = channel
        self._worker: Worker | None = None
        self._member: Member | None = None
        self._stopped = False
        self._orders = Orders(self.stop)

    def run(self) -> None:
        """Follow the orders to the end. Raises HarnessError."""
        orders = self._orders
        assignment = orders.assignment()
        if assignment is None or self._stopped:
            return
        if assignment.master is not None and assignment.token is not None:
            self._run_for_master(assignment, assignment.master, assignment.token)
            return
        self._worker = worker = Worker(assignment)
        self._channel.tell({"event": "ready"})
        go = None if self._stopped else orders.go()
        if go is None:
            worker.never_run()
        else:
            worker.run(go.zero_monotonic_ns)
        self._channel.tell({"event": "ended", "intended": worker.intended, "sent": worker.sent})

    def stop(self) -> None:
        """Stop sending, and wait for no further order."""
        self._stopped = True
        self._orders.call_off()
        if self._member is not None:
            self._member.call_off()
        if self._worker is not None:
            self._worker.stop()

    def _run_for_master(self, assignment: Assignment, master: str, token: str) -> None:
        host, _, port = master.rpartition(":")
        carrier = Carrier(self._dispatch, host=assignment.base_url, on_error=self._broke, master=(host, int(port)))
        self._member = member = Member(carrier.runner, Seal(token), on_stop=self.stop)
        member.hello(assignment.worker)
        self._worker = worker = Worker(assignment, carrier=carrier)
        member.say(READY, Ready(intended=worker.intended))
        zero_ns = member.zero_ns()
        if zero_ns is None or self._stopped:
            worker.never_run()
        else:
            worker.run(zero_ns)
        member.say(ENDED, Ended(intended=worker.intended, sent=worker.sent))
        member.kept(_KEPT_WITHIN_S)  # ZeroMQ forgets what it has not sent yet when the process ends
        carrier.leave()
        self._channel.tell({"event": "ended", "intended": worker.intended, "sent": worker.sent})

    def _dispatch(self) -> None:
        assert self._member is not None
        assert self._worker is not None
        self._member.say(ARMED, Empty())
        self._worker.dispatch()

    def _broke(self, error: Exception) -> None:
        if self._worker is not None:
            self._worker.broke(error)


class _Master:
    """The master of several workers, driven by the conductor."""

    def __init__(self, channel: _Channel) -> None:
        self._channel = channel
        self._leader: Leader | None = None
        self._orders = Orders(self.stop, on_later=self._lose)

    def run(self) -> None:
        """Follow the orders to the end. Raises HarnessError."""
        muster = self._orders.muster()
        if muster is None:
            return
        self._leader = leader = Leader(muster, self._channel.tell)
        if leader.gather():
            self._channel.tell({"event": "ready"})
        go = self._orders.go()
        if go is not None:
            leader.go(go.zero_monotonic_ns)
        leader.wait_ended()
        intended, sent = leader.totals()
        self._channel.tell({"event": "ended", "intended": intended, "sent": sent})
        leader.close()

    def _lose(self, line: bytes) -> None:
        if self._leader is not None:
            self._leader.lose(from_json(line, Lost, where="an order to the master").lost_worker)

    def stop(self) -> None:
        """Call the run off."""
        self._orders.call_off()
        if self._leader is not None:
            self._leader.stop()


class _Look:
    """Imports a locustfile before a run, so that what is wrong with it is told before anything starts."""

    def __init__(self, path: Path, channel: _Channel) -> None:
        self._path = path
        self._channel = channel

    def run(self) -> None:
        """Say what is in the file. Raises ConfigurationError."""
        tried: list[str] = []
        OnlyAllowed((), tried.append)
        os.environ.setdefault(KEY_VARIABLE, "")
        try:
            file = import_locustfile(self._path)
        except ConfigurationError:
            if tried:
                raise refused(self._path, tried[0]) from None
            raise
        self._channel.tell({"event": "looked", **file.facts()})

    def stop(self) -> None:
        """An import cannot be stopped half-way; the process ends with its own."""


def _life(arguments: list[str], channel: _Channel) -> _Life:
    """Return what this process is to be. Raises ConfigurationError."""
    if not arguments:
        return _Alone(channel)
    if arguments == ["lead"]:
        return _Master(channel)
    if len(arguments) == 2 and arguments[0] == "look":
        return _Look(Path(arguments[1]), channel)
    parser = argparse.ArgumentParser(prog="python -m harness.load", exit_on_error=False)
    parser.add_argument("role", choices=["join"])
    parser.add_argument("--master", required=True)
    parser.add_argument("--target", action="append", required=True)
    parser.add_argument("--max-wait-s", type=float, default=60.0)
    given = parser.parse_args(arguments)
    host, _, port = given.master.rpartition(":")
    token = os.environ.pop(TOKEN_VARIABLE, "")
    if not token:
        raise ConfigurationError(f"{TOKEN_VARIABLE} is not set; master and workers need the same token")
    joining = Joining(master=(host, int(port)), targets=given.target, token=token, max_wait_s=given.max_wait_s)
    return JoinedWorker(joining, lambda text: _write(2, f"{text}\n".encode()))


def _write(fd: int, line: bytes) -> None:
    try:
        os.write(fd, line)
    except OSError:
        return


def main(arguments: list[str]) -> int:
    """Run one life; return its exit code, with one clear line on standard error where it failed."""
    try:
        # Ctrl-C is the conductor's, which closes our input; a worker of a master elsewhere has no conductor.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        life = _life(arguments, _Channel())
        gevent.signal_handler(signal.SIGTERM, life.stop)
        if isinstance(life, JoinedWorker):
            gevent.signal_handler(signal.SIGINT, life.stop)
        life.run()
    except HarnessError as error:
        _write(2, f"harness.load: {error}\n".encode(errors="replace"))
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - a bug of ours is exit 5 and a line, never 1 and a traceback
        _write(2, f"harness.load: {error!r}; this is a bug: please report it\n".encode(errors="replace"))
        return ExitCode.COULD_NOT_RUN
    return ExitCode.PASS


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # nothing is left to close, and native threads are still reading
