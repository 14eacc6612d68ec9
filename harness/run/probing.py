"""The steps of checks on the one timeline: probes on plain sockets, actions on the target; each is kept or journalled.

Nothing here judges. What cannot be sent or done is written down with its reason, and the run goes on: the check that
asked for it is then inconclusive, and everything else is still seen.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

from harness.errors import ConfigurationError, HarnessError
from harness.exchange import Exchange, Outcome, Reading
from harness.exchange.blocking import converse
from harness.exchange.predicates import walk
from harness.model.journal import Event
from harness.model.plan import Clock, Plan, Protocol
from harness.model.probe import EVERY_INSTANCE, Action, Probe, ProbeRecord
from harness.model.target import Actor, Approach, RunningTarget, actor_of, approach_of
from harness.run.lanes import Lanes
from harness.run.probe_requests import NotSendableError, Place, key_for, prepare
from harness.rundir import RunDirectory
from harness.target.external.caller import resolve

MASK = "***"
_LIKE_A_KEY = re.compile(r"[A-Za-z0-9_.~+/=-]{12,}")
_SHOWN_HEADERS = 40
ACTION_WITHIN_S = 25.0
"""How long a probe waits for the action that it follows."""


class Probing:
    """Everything that the checks of one run send and have done. For use from the conductor's thread."""

    def __init__(self, plan: Plan, run: RunDirectory, target: RunningTarget, clock: Clock) -> None:
        self._run, self._clock = run, clock
        self._approach: Approach = approach_of(target)
        self._actor: Actor | None = actor_of(target)
        self._keys: Mapping[str, str] = target.keys
        self._secrets = {key for key in target.keys.values() if len(key) >= 12}
        self._new_keys: dict[str, str] = {}
        self._reading = Reading(plan.signals)
        self._answers: dict[tuple[str, str], str] = {}
        self._satisfied: set[tuple[str, str, str | None]] = set()
        self._numbers: dict[tuple[str, str, str | None], int] = {}
        self._lock = threading.Lock()
        self._ended_at: dict[tuple[str, str], int] = {}
        self._lanes = Lanes()
        self._closed = False
        self._run_id = plan.run_id
        wanted = bool(plan.probes)
        self._front = _place(target.base_url, self._approach) if wanted else None
        self._instances = tuple(
            replace(_place(instance.base_url, self._approach), instance=instance)
            for instance in (target.instances if wanted else ())
        )

    def probe(self, probe: Probe, at_ns: int) -> None:
        """Send a probe, or one to each instance, as soon as its lane is free."""
        places: Sequence[Place | None] = [self._front]
        if probe.instance is not None:
            places = [p for p in self._instances if probe.instance in (EVERY_INSTANCE, p.instance.name if p.instance else None)]
        if not places:
            self._keep(self._record(probe, at_ns, None, problem=f"the target tells of no instance {probe.instance!r}"))
        for place in places:
            assert place is not None
            name = None if place.instance is None else place.instance.name
            lane = probe.lane or probe.check_id
            self._lanes.do(
                f"{lane}/{name}" if probe.instance == EVERY_INSTANCE else lane, partial(self._send, probe, place, at_ns)
            )

    def act(self, action: Action) -> None:
        """Have an action done as soon as its lane is free."""
        self._lanes.do(action.lane or action.check_id, partial(self._act, action))

    def ended_on_purpose(self) -> frozenset[str]:
        """Return the processes that an action has ended."""
        return frozenset() if self._actor is None else self._actor.ended_on_purpose()

    def busy(self) -> bool:
        """Return whether anything is being sent or done, or waits to be."""
        return self._lanes.busy()

    def close(self, *, within_s: float) -> None:
        """Begin nothing more; wait for what has begun. Never raises."""
        self._lanes.close(within_s=within_s)
        self._closed = True  # what still hangs is written nowhere: the run directory is about to be closed

    # -- probes ---------------------------------------------------------------------------------------------------------

    def _send(self, probe: Probe, place: Place, at_ns: int) -> None:
        instance = None if place.instance is None else place.instance.name
        which = (probe.check_id, probe.name, instance)
        if which in self._satisfied:
            return
        self._wait_after(probe)
        record = self._record(probe, at_ns, instance)
        try:
            prepared = prepare(
                probe,
                place,
                self._approach,
                key=key_for(probe, self._keys, self._new_keys),
                request_id=record.request_id,
                answers=lambda name: self._answers.get((probe.check_id, name)),
            )
        except NotSendableError as error:
            self._keep(replace(record, problem=str(error)))
            return
        exchange = Exchange(
            self._reading, streamed=probe.streamed, protocol=Protocol.OPENAI_CHAT if probe.chat else Protocol.HTTP, keep=True
        )
        started_ns = time.monotonic_ns() - self._clock.zero_monotonic_ns
        outcome = converse(
            prepared.address,
            prepared.data,
            exchange,
            timeout_ns=probe.timeout_ns,
            zero_ns=self._clock.zero_monotonic_ns,
            head_takes_ns=probe.head_takes_ns,
            body_every_ns=probe.body_every_ns,
        )
        body = outcome.body.decode("utf-8", "replace")
        with self._lock:
            self._answers[(probe.check_id, probe.name)] = body
        if probe.until is not None and _holds(body, probe.until.path, probe.until.equals):
            self._satisfied.add(which)
        self._keep(
            _filled_in(
                replace(record, path=prepared.path, request=prepared.shown, started_ns=started_ns),
                outcome,
                probe,
                exchange.headers,
            )
        )

    def _wait_after(self, probe: Probe) -> None:
        """Wait until the action that a probe follows has ended, wherever it is done, and as long again as is asked."""
        if probe.after is None:
            return
        gives_up = time.monotonic() + ACTION_WITHIN_S
        while (ended_ns := self._ended_at.get((probe.check_id, probe.after))) is None:
            if self._closed or time.monotonic() > gives_up:
                return
            time.sleep(0.02)
        time.sleep(max(0, ended_ns + probe.after_ns - time.monotonic_ns()) / 1e9)

    def _record(self, probe: Probe, at_ns: int, instance: str | None, problem: str | None = None) -> ProbeRecord:
        which = (probe.check_id, probe.name, instance)
        with self._lock:
            number = self._numbers[which] = self._numbers.get(which, -1) + 1
        return ProbeRecord(
            check_id=probe.check_id,
            name=probe.name,
            number=number,
            instance=instance,
            principal=probe.principal,
            credential=probe.credential,
            method=probe.method,
            path=probe.path or self._approach.chat_path,
            at_ns=at_ns,
            request_id=f"probe-{self._run_id[-12:]}-{probe.check_id}-{probe.name}-{instance or 'x'}-{number}",
            problem=problem,
        )

    def _keep(self, record: ProbeRecord) -> None:
        if self._closed:
            return
        masked = replace(
            record,
            path=self._masked(record.path),
            request=self._masked(record.request),
            body=self._masked(record.body),
            headers={name: self._masked(value) for name, value in record.headers.items()},
        )
        self._run.append_probe(masked)

    def _masked(self, text: str) -> str:
        secrets = self._secrets
        return _LIKE_A_KEY.sub(lambda found: MASK if found[0] in secrets else found[0], text)

    # -- actions --------------------------------------------------------------------------------------------------------

    def _act(self, action: Action) -> None:
        subject = f"{action.check_id}/{action.name}"
        self._run.record(Event.ACTION_STARTED, subject, does=action.does, principal=action.principal)
        began_ns = time.monotonic_ns()
        try:
            if self._actor is None:
                raise HarnessError("nothing can be done on this target")
            done = self._actor.act(action)
        except HarnessError as error:
            self._ended_at[action.check_id, action.name] = time.monotonic_ns()
            self._run.record(Event.ACTION_FAILED, subject, does=action.does, reason=self._masked(error.message))
            return
        if done.new_key is not None and action.principal is not None:
            with self._lock:
                self._secrets = self._secrets | {done.new_key}
                self._new_keys[action.principal] = done.new_key
        self._ended_at[action.check_id, action.name] = time.monotonic_ns()
        told = {name: self._masked(value) if isinstance(value, str) else value for name, value in done.told.items()}
        took_ns = time.monotonic_ns() - began_ns
        self._run.record(Event.ACTION_DONE, subject, does=action.does, took_ns=took_ns, **told)  # type: ignore[arg-type]


def _filled_in(record: ProbeRecord, outcome: Outcome, probe: Probe, headers: Mapping[str, str]) -> ProbeRecord:
    return replace(
        record,
        ended_ns=outcome.ended_ns,
        status_code=outcome.status_code,
        result=outcome.result.value,
        source=None if outcome.source is None else outcome.source.value,
        refusal=None if outcome.refusal is None else outcome.refusal.value,
        error_kind=None if outcome.error_kind is None else outcome.error_kind.value,
        headers=dict(list(headers.items())[:_SHOWN_HEADERS]),
        body=outcome.body[: probe.keep_bytes].decode("utf-8", "replace"),
        body_bytes=outcome.body_bytes,
    )


def _holds(body: str, path: str, equals: str) -> bool:
    try:
        return str(walk(json.loads(body), path)) == equals
    except ValueError:
        return False


def _place(base_url: str, approach: Approach) -> Place:
    parts = urlsplit(base_url)
    if parts.hostname is None:
        raise ConfigurationError(f"{base_url!r} is no base URL")
    address = resolve(parts.hostname, parts.port or 80, approach.allowed_hosts)
    return Place(address=address, host=parts.netloc, base_path=parts.path.rstrip("/"))


def await_idle(probing: Probing, *, within_s: float, watch: Callable[[], None]) -> bool:
    """Wait until every lane is idle; return whether it came to that in time."""
    deadline = time.monotonic() + within_s
    while probing.busy():
        if time.monotonic() > deadline:
            return False
        watch()
        time.sleep(0.02)
    return True
