"""Locust's master: gathers the workers, gives them one start, notices which are lost, and sends nothing itself."""

import logging
import platform
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event
from locust.env import Environment

from harness import __version__
from harness.errors import ConfigurationError, HarnessError, LoadError, StorageError
from harness.load import messages
from harness.load.carrier import schedule_user
from harness.load.lost import write_lost_rows
from harness.load.relay import Inbox
from harness.load.seal import Seal
from harness.load.watch_only import serve_watch_only
from harness.model.assignment import Muster
from harness.rundir import RunDirectory
from harness.rundir.codec import to_pretty_json
from harness.rundir.files import write_whole

LOST_AFTER_S = 3.0
"""How long Locust's heartbeat may be missing (it is called missing after about four seconds) before a worker is given up."""
ARMED_WITHIN_S = 20.0
_LOOK_EVERY_S = 0.05


@dataclass(slots=True, kw_only=True)
class _Follower:
    """One worker as the master knows it. missing_since: when its heartbeat stopped, on this host's clock."""

    number: int
    client_id: str
    host: str
    scope: str
    remote: bool
    ready: messages.Ready | None = None
    armed: bool = False
    ended: messages.Ended | None = None
    missing_since: float | None = None
    lost: bool = False
    inbox: Inbox | None = None


class Leader:
    """The master of one run. tell: gets each event for the conductor. Raises LoadError, ConfigurationError."""

    def __init__(self, muster: Muster, tell: Callable[[dict[str, str | int]], None]) -> None:
        logging.getLogger("locust").addHandler(logging.NullHandler())
        self._muster = muster
        self._tell = tell
        self._seal = Seal(muster.token)
        self._directory = RunDirectory.open(Path(muster.assignment.run_directory))
        self._plan = self._directory.read_plan()
        self._followers: dict[str, _Follower] = {}
        self._stopped = Event()
        self._failure: HarnessError | None = None
        self._environment = Environment(
            user_classes=[schedule_user(lambda: None)], host=muster.assignment.base_url, catch_exceptions=False
        )
        try:
            self._runner: Any = self._environment.create_master_runner(muster.bind_host, muster.bind_port)
        except SystemExit:  # Locust's own way to say that the port is taken
            raise ConfigurationError(f"--bind {muster.bind_host}:{muster.bind_port}: the port is in use") from None
        except Exception as error:
            raise ConfigurationError(f"--bind {muster.bind_host}:{muster.bind_port}: {error}") from error
        for kind in (messages.HELLO, messages.CLOCK, messages.READY, messages.ARMED, messages.ROWS, messages.ENDED):
            self._runner.register_message(kind, self._hear)
        if muster.web_port is not None:
            serve_watch_only(self._environment, muster.web_port)
        tell({"event": "listening", "port": int(self._runner.server.port)})

    # -- the run, in order ------------------------------------------------------------------------------------------

    def gather(self) -> bool:
        """Wait for every worker and have Locust spawn its user there; return False where told to stop."""
        wanted = self._muster.assignment.workers
        deadline = time.monotonic() + self._muster.max_wait_s
        while not self._wait(lambda: self._count(lambda f: f.ready is not None) == wanted, deadline):
            if self._stopped.is_set():
                return False
            have = self._count(lambda f: f.ready is not None)
            raise LoadError(
                f"{have} of {wanted} load workers came within {self._muster.max_wait_s:.0f} s",
                advice="start `harness worker --master HOST:PORT` for each of the others, or give them longer with --max-wait",
            )
        gevent.spawn(self._runner.start, wanted, wanted)
        deadline = time.monotonic() + ARMED_WITHIN_S
        if not self._wait(lambda: self._count(lambda f: f.armed) == wanted, deadline):
            if self._stopped.is_set():
                return False
            raise LoadError(f"Locust spawned its user on {self._count(lambda f: f.armed)} of {wanted} workers")
        # From here on Locust must not spread users anew: a schedule belongs to one worker.
        self._runner._users_dispatcher = None
        return True

    def go(self, zero_monotonic_ns: int) -> None:
        """Tell every worker the zero."""
        for follower in self._followers.values():
            self._say(follower, messages.GO, messages.Start(zero_master_ns=zero_monotonic_ns))

    def wait_ended(self) -> None:
        """Wait until every worker has ended or is lost; write the rows of those that are lost."""
        while not self._stopped.is_set() and not all(f.ended or f.lost for f in self._followers.values()):
            gevent.sleep(_LOOK_EVERY_S)
            self._look_for_lost()
        if self._stopped.is_set():
            for follower in self._followers.values():
                self._say(follower, messages.STOP, messages.Empty())
            self._wait(lambda: all(f.ended or f.lost for f in self._followers.values()), time.monotonic() + 1.0, told=True)
        for follower in self._followers.values():
            if follower.lost:
                write_lost_rows(self._directory, self._plan, worker=follower.number, workers=self._muster.assignment.workers)
        self._write_account()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Call the run off."""
        self._stopped.set()

    def totals(self) -> tuple[int, int]:
        """Return how many arrivals the workers had, and how many they say went out."""
        ended = [follower.ended for follower in self._followers.values() if follower.ended is not None]
        return sum(one.intended for one in ended), sum(one.sent for one in ended)

    def close(self) -> None:
        """End Locust's part: the workers' last statistics are in by then."""
        with gevent.Timeout(2.0, False):
            self._runner.quit()

    # -- what workers say -------------------------------------------------------------------------------------------

    def _hear(self, environment: Any, msg: Any) -> None:  # noqa: ARG002 - Locust's signature
        received_ns = time.monotonic_ns()
        try:
            if msg.type == messages.HELLO:
                self._hello(msg.node_id, msg.data)
                return
            follower = self._followers.get(msg.node_id)
            if follower is not None and not follower.lost:
                self._from(follower, msg.type, msg.data, received_ns)
        except StorageError as error:
            self._failure = self._failure or error
            self._stopped.set()
        except LoadError as error:  # not one of ours: said in the log, and nothing else comes of it
            logging.getLogger(__name__).warning("%s: %s", msg.node_id, error.message)

    def _hello(self, client_id: str, data: object) -> None:
        hello = self._seal.open(f"{messages.HELLO}/{client_id}", data, messages.Hello)
        nonce = secrets.token_hex(16)
        scope = f"{messages.WELCOME}/{client_id}/{hello.nonce}"
        number, refused = self._place_for(hello)
        if refused is not None:
            self._runner.send_message(
                messages.WELCOME, self._seal.close(scope, messages.Welcome(nonce=nonce, refused=refused)), client_id
            )
            return
        follower = _Follower(
            number=number,
            client_id=client_id,
            host=hello.host,
            scope=f"{client_id}/{hello.nonce}/{nonce}",
            remote=hello.worker is None,
        )
        welcome = messages.Welcome(nonce=nonce, worker=number, workers=self._muster.assignment.workers)
        if follower.remote:
            given = self._muster.assignment
            follower.inbox = Inbox(self._directory, worker=number)
            welcome = replace(
                welcome,
                plan_json=(self._directory.path / "plan.json").read_text(encoding="utf-8"),
                base_url=given.base_url,
                keys=dict(given.keys),
                chat_path=given.chat_path,
                auth_header=given.auth_header,
                auth_value=given.auth_value,
                model_names=dict(given.model_names),
                max_in_flight=given.max_in_flight,
            )
        self._followers[client_id] = follower
        self._runner.send_message(messages.WELCOME, self._seal.close(scope, welcome), client_id)
        self._tell({"event": "joined", "worker": number, "host": hello.host})

    def _place_for(self, hello: messages.Hello) -> tuple[int, str | None]:
        taken = {follower.number for follower in self._followers.values() if not follower.lost}
        local = self._muster.assignment.workers - self._muster.remote
        if hello.version != __version__:
            return 0, f"it is harness {hello.version}, the master is {__version__}"
        if hello.worker is not None:
            is_free = 0 <= hello.worker < local and hello.worker not in taken
            return hello.worker, None if is_free else f"there is no place for a worker {hello.worker}"
        free = [number for number in range(local, self._muster.assignment.workers) if number not in taken]
        if not free:
            return 0, f"all {self._muster.remote} expected workers are here already"
        return free[0], None

    def _from(self, follower: _Follower, kind: str, data: Any, received_ns: int) -> None:
        scope = f"{kind}/{follower.scope}"
        if kind == messages.CLOCK:
            asked = self._seal.open(scope, data, messages.Clock)
            self._say(follower, kind, replace(asked, received_ns=received_ns, answered_ns=time.monotonic_ns()))
        elif kind == messages.READY:
            ready = self._seal.open(scope, data, messages.Ready)
            if ready.trouble is not None:
                del self._followers[follower.client_id]
                self._tell({"event": "trouble", "worker": follower.number, "reason": ready.trouble})
                return
            follower.ready = ready
        elif kind == messages.ARMED:
            self._seal.open(scope, data, messages.Empty)
            follower.armed = True
        elif kind == messages.ROWS and follower.inbox is not None:
            head, sealed = data
            follower.inbox.take(str(head), self._seal.open_bytes(f"{scope}/{head}", sealed))
        elif kind == messages.ENDED:
            follower.ended = self._seal.open(scope, data, messages.Ended)
            if follower.ended.trouble is not None:
                self._tell({"event": "trouble", "worker": follower.number, "reason": follower.ended.trouble})
            self._say(follower, messages.KEPT, messages.Empty())

    # -- what the master does ---------------------------------------------------------------------------------------

    def _say(self, follower: _Follower, kind: str, value: object) -> None:
        self._runner.send_message(kind, self._seal.close(f"{kind}/{follower.scope}", value), follower.client_id)

    def _look_for_lost(self) -> None:
        now = time.monotonic()
        for follower in self._followers.values():
            if follower.ended is not None or follower.lost:
                continue
            node = self._runner.clients.get(follower.client_id)
            if node is not None and node.state != "missing":
                follower.missing_since = None
            elif follower.missing_since is None:
                follower.missing_since = now
            elif now - follower.missing_since > LOST_AFTER_S:
                self.lose(follower.number)

    def lose(self, number: int) -> None:
        """Give a worker up: what it has not told by now is lost."""
        for follower in self._followers.values():
            if follower.number == number and follower.ended is None and not follower.lost:
                follower.lost = True
                self._tell({"event": "lost", "worker": number, "host": follower.host})

    def _wait(self, holds: Callable[[], bool], deadline: float, *, told: bool = False) -> bool:
        while not holds():
            if time.monotonic() > deadline or (self._stopped.is_set() and not told):
                return False
            gevent.sleep(_LOOK_EVERY_S)
        return True

    def _count(self, holds: Callable[[_Follower], bool]) -> int:
        return sum(holds(follower) for follower in self._followers.values())

    def _write_account(self) -> None:
        """Write who sent what, and how well the clocks were known, to `metrics/load-workers.json`."""
        workers = []
        for follower in sorted(self._followers.values(), key=lambda one: one.number):
            first = follower.ready.offset if follower.ready else messages.ClockOffset()
            last = follower.ended.offset if follower.ended else first
            workers.append(
                {
                    "worker": follower.number,
                    "host": follower.host,
                    "remote": follower.remote,
                    "clock_offset_ns": first.offset_ns,
                    "clock_uncertainty_ns": first.uncertainty_ns,
                    "clock_drift_ns": last.offset_ns - first.offset_ns,
                    "clock_drift_uncertainty_ns": last.uncertainty_ns + first.uncertainty_ns,
                    "intended": follower.ended.intended if follower.ended else None,
                    "sent": follower.ended.sent if follower.ended else None,
                    "lost": follower.lost,
                }
            )
        path = self._directory.path / "metrics" / "load-workers.json"
        account = {"schema": "harness.load-workers/1", "master": platform.node(), "workers": workers}
        write_whole(path, to_pretty_json(account))
