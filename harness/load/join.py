"""A worker that comes to a master elsewhere: `harness worker --master HOST:PORT --target URL`."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import gevent

from harness.errors import ConfigurationError, HarnessError, LoadError
from harness.load import messages
from harness.load.carrier import Carrier
from harness.load.member import Member
from harness.load.relay import Outbox
from harness.load.seal import Seal
from harness.load.worker import Worker
from harness.model.assignment import Assignment
from harness.model.plan import Plan
from harness.rundir import RunDirectory
from harness.rundir.codec import from_json

RELAY_EVERY_S = 1.0
KEPT_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """What a worker's own command line says. targets: the only base URLs that it sends load to."""

    master: tuple[str, int]
    targets: Sequence[str]
    token: str
    max_wait_s: float


class JoinedWorker:
    """One worker of a master elsewhere, for one run. say: tells people what happens."""

    def __init__(self, joining: Joining, say: Callable[[str], None]) -> None:
        self._joining = joining
        self._say = say
        self._seal = Seal(joining.token)
        self._worker: Worker | None = None
        self._member: Member | None = None
        self._stopped = False

    def run(self) -> None:
        """Join, send, and hand over every row. Raises HarnessError."""
        carrier = Carrier(
            self._dispatch,
            host="",
            on_error=lambda error: self._worker.broke(error) if self._worker is not None else None,
            master=self._joining.master,
            max_wait_s=self._joining.max_wait_s,
        )
        self._member = member = Member(carrier.runner, self._seal, on_stop=self.stop)
        welcome = member.hello(None)
        self._say(f"joined {self._joining.master[0]}:{self._joining.master[1]} as worker {welcome.worker} of {welcome.workers}")
        with tempfile.TemporaryDirectory(prefix="harness-worker-") as place:
            try:
                worker = self._prepare(welcome, Path(place) / "run", carrier)
            except HarnessError as error:
                member.say(messages.READY, messages.Ready(trouble=error.message))
                gevent.sleep(0.2)  # the refusal should reach the master before the process ends
                raise
            self._send_all(worker, member, welcome, Path(place) / "run")
        carrier.leave()

    def stop(self) -> None:
        """Stop sending, hand over what there is."""
        self._stopped = True
        if self._member is not None:
            self._member.call_off()
        if self._worker is not None:
            self._worker.stop()

    def _dispatch(self) -> None:
        if self._worker is None or self._member is None:
            raise LoadError("Locust's master spawned a user before it was ready")
        self._member.say(messages.ARMED, messages.Empty())
        self._worker.dispatch()

    def _prepare(self, welcome: messages.Welcome, place: Path, carrier: Carrier) -> Worker:
        check_target(welcome.base_url, self._joining.targets)
        if welcome.plan_json is None:
            raise LoadError("the master gave no plan")
        directory = RunDirectory.create(place)
        plan = from_json(welcome.plan_json.encode(), Plan, where="the master's plan")
        if plan.load.locustfile is not None:
            raise ConfigurationError("the master's plan runs a locustfile, and no code comes over the wire: run it there")
        directory.write_plan(plan)
        assignment = Assignment(
            run_directory=str(place),
            base_url=welcome.base_url,
            keys=welcome.keys,
            chat_path=welcome.chat_path,
            auth_header=welcome.auth_header,
            auth_value=welcome.auth_value,
            model_names=welcome.model_names,
            max_in_flight=welcome.max_in_flight,
            worker=welcome.worker,
            workers=welcome.workers,
            allowed_hosts=tuple(host for target in self._joining.targets if (host := urlsplit(target).hostname) is not None),
        )
        self._worker = worker = Worker(assignment, carrier=carrier)
        return worker

    def _send_all(self, worker: Worker, member: Member, welcome: messages.Welcome, place: Path) -> None:
        offset = member.clock_offset()
        self._say(f"clock offset {offset.offset_ns / 1e6:.3f} ms, known to {offset.uncertainty_ns / 1e6:.3f} ms")
        member.say(messages.READY, messages.Ready(intended=worker.intended, offset=offset))
        outbox = Outbox(
            RunDirectory.open(place),
            worker=welcome.worker,
            say=lambda head, data: member.say_bytes(messages.ROWS, head, data),
        )
        relay = gevent.spawn(_relay, outbox)
        zero_master_ns = member.zero_ns()
        trouble: HarnessError | None = None
        try:
            if zero_master_ns is None or self._stopped:
                worker.never_run()
            else:
                worker.run(zero_master_ns + offset.offset_ns)
        except HarnessError as error:
            trouble = error
        relay.kill()
        outbox.send()
        member.say(
            messages.ENDED,
            messages.Ended(
                intended=worker.intended,
                sent=worker.sent,
                offset=offset if self._stopped else member.clock_offset(),
                trouble=None if trouble is None else trouble.message,
            ),
        )
        if not member.kept(KEPT_WITHIN_S) and not self._stopped:
            raise LoadError("the master did not say that it kept the rows; it may be gone")
        if trouble is not None:
            raise trouble


def check_target(base_url: str, allowed: Sequence[str]) -> None:
    """Raise ConfigurationError unless the URL is one of those that were typed here; `http://HOST:*` is any port of a host."""
    asked = urlsplit(base_url)
    for text in allowed:
        mine = urlsplit(text.removesuffix(":*"))
        same_host = (mine.scheme, mine.hostname) == (asked.scheme, asked.hostname)
        if same_host and (text.endswith(":*") or _port(mine.scheme, mine.port) == _port(asked.scheme, asked.port)):
            return
    raise ConfigurationError(
        f"the master asks for load on {base_url}, which is not on this worker's command line",
        advice=f"add --target {base_url} here if that is meant",
    )


def _port(scheme: str, port: int | None) -> int:
    return port or (443 if scheme == "https" else 80)


def _relay(outbox: Outbox) -> None:
    while True:
        gevent.sleep(RELAY_EVERY_S)
        outbox.send()
