"""One call under way: its script played against the clock, and the record it leaves."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.model.sample import Call
from harness.model.simulated import SimulatedModel
from harness.model.text_digest import text_digest
from harness.provider.faults.base import ProviderFault
from harness.provider.meter import Tally
from harness.provider.pacing import Pacer
from harness.provider.records import gap_p95_and_max_ns
from harness.provider.script import Body, Hold, Kind, Mark, Script, Step
from harness.provider.wire import Connection

_NEVER_NS = 1 << 62
_TOKEN = Kind.TOKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asked for what. model: None where the request named none that exists; shown is what it named."""

    call_id: str
    endpoint: str
    model: SimulatedModel | None
    model_named: str
    streamed: bool
    request_id: str | None
    tag: str | None
    key_fingerprint: str | None
    received_ns: int
    prompt_tokens: int
    keep_alive: bool


class Exchange:
    """Plays one script. Each part is due a fixed wait after the part before was due: lateness does not add up."""

    def __init__(
        self,
        *,
        caller: Caller,
        script: Script,
        billed_completion_tokens: int | None,
        tally: Tally | None,
        connection: Connection,
        pacer: Pacer,
        on_end: Callable[[Exchange, Call], None],
        text: str | None = None,
    ) -> None:
        """tally: None for a call that is not billed. billed_completion_tokens: in place of what was generated.

        text: what a client reads that reads all of it; None where that is not known.
        """
        self.caller = caller
        self.faults: list[ProviderFault] = []
        self._script = script
        self._billed = billed_completion_tokens
        self._text = text
        self._tally = tally
        self._connection = connection
        self._pacer = pacer
        self._on_end = on_end
        self._steps = script.steps()
        self._pending: Step | None = None
        self._due_ns = caller.received_ns
        self._hold: Hold | None = None
        self._content_ns: list[int] = []
        self._generated = 0
        self._status_code: int | None = None
        self._over = False

    def start(self) -> None:
        """Send what is due at once and plan the rest."""
        self._connection.in_flight = self
        if self._tally is not None:
            self._tally.open(self.caller.prompt_tokens)
        self._play()

    def step(self) -> None:
        """Send what is due; does nothing when woken before that."""
        now_ns = time.monotonic_ns()
        if self._over or now_ns < self._due_ns:
            return
        if self._hold is not None:
            self._let_go(self._hold)
        step = self._pending
        if step is not None:
            self._pending = None
            if not (self._say(step[1], now_ns) if step[2] is _TOKEN else self._do(step)):
                return
        self._play()

    def release(self) -> None:
        """Go on: the fault that holds this call has let go."""
        if self._hold is not None and not self._over:
            self._let_go(self._hold)
            self._due_ns = time.monotonic_ns()
            self._play()

    def client_gone(self) -> None:
        """End here; what was generated so far is billed."""
        if self._over:
            return
        if self._pending is not None and isinstance(body := self._pending[3], Body):
            begun_ns = self._due_ns - body.wait_ns
            self._count(body.generated(time.monotonic_ns() - begun_ns))
        self._end("client_gone")

    def _play(self) -> None:
        for step in self._steps:
            wait_ns, _, kind, part = step
            if wait_ns:
                self._due_ns += wait_ns
                self._pending = step
                self._pacer.at(self._due_ns, self)
                return
            if kind is Kind.HOLD:
                assert isinstance(part, Hold)
                if part.fault.holds(self.caller.call_id):
                    self._begin_hold(part)
                    return
                continue
            if not self._do(step):
                return
        self._end(self._script.ended)

    def _do(self, step: Step) -> bool:
        """Do one step now; return False when the call is over by it."""
        _, data, kind, part = step
        if kind is _TOKEN:
            return self._say(data, time.monotonic_ns())
        if kind is Kind.MARK:
            assert isinstance(part, Mark)
            self._touch(part.fault)
            return True
        if kind is Kind.CLOSE or kind is Kind.RESET:
            self._end(self._script.ended, close=True, abruptly=kind is Kind.RESET)
            return False
        now_ns = time.monotonic_ns()
        if not self._connection.send(data):
            self.client_gone()
            return False
        self._status_code = self._script.status_code  # set with the head, which goes before any token
        if kind is Kind.REPEAT:
            self._content_ns.append(now_ns)
        elif kind is Kind.BLANK:
            self._count(1)
        elif kind is Kind.BODY:
            assert isinstance(part, Body)
            self._content_ns.append(now_ns)
            self._count(part.tokens)
        return True

    def _say(self, data: bytes, now_ns: int) -> bool:
        """Send one token, in few calls: nearly all steps are this; return False when the call is over by it."""
        if not self._connection.send(data):
            self.client_gone()
            return False
        self._content_ns.append(now_ns)
        self._generated += 1
        if self._tally is not None:
            self._tally.generated(1)
        return True

    def _count(self, tokens: int) -> None:
        self._generated += tokens
        if self._tally is not None:
            self._tally.generated(tokens)

    def _touch(self, fault: ProviderFault) -> None:
        if fault not in self.faults:
            self.faults.append(fault)
            fault.acted += 1

    def _begin_hold(self, hold: Hold) -> None:
        self._hold = hold
        self._touch(hold.fault)
        hold.fault.held[self.caller.call_id] = self
        if hold.for_ns is None:
            self._due_ns = _NEVER_NS
        else:
            self._due_ns += hold.for_ns
            self._pacer.at(self._due_ns, self)

    def _let_go(self, hold: Hold) -> None:
        self._hold = None
        hold.fault.held.pop(self.caller.call_id, None)

    def _end(self, ended: str, *, close: bool = False, abruptly: bool = False) -> None:
        self._over = True
        if self._hold is not None:
            self._let_go(self._hold)
        if ended == "completed" and self._billed is not None:
            self._count(max(0, self._billed - self._generated))
        self._connection.in_flight = None
        self._on_end(self, self._record(ended))
        if close:
            self._connection.close(abruptly=abruptly)
        elif ended != "client_gone":
            self._connection.done(keep_alive=self.caller.keep_alive and self._script.keep_alive)

    def _record(self, ended: str) -> Call:
        return record_of(
            self.caller,
            ended,
            moments_ns=self._content_ns,
            status_code=self._status_code,
            prompt_tokens=self.caller.prompt_tokens if self._tally is not None else 0,
            completion_tokens=self._generated,
            faults=self.faults,
            digest=text_digest(self._text) if ended == "completed" and self._text is not None else None,
        )


def record_of(
    caller: Caller,
    ended: str,
    *,
    moments_ns: Sequence[int],
    status_code: int | None,
    prompt_tokens: int,
    completion_tokens: int,
    faults: Sequence[ProviderFault],
    digest: int | None = None,
) -> Call:
    """Return the record of a call that ends now. moments_ns: when its content left.

    prompt_tokens, completion_tokens: what is billed. digest: of its text.
    """
    gap_p95_ns, gap_max_ns = gap_p95_and_max_ns(moments_ns)
    return Call(
        call_id=caller.call_id,
        endpoint=caller.endpoint,
        model=caller.model_named,
        streamed=caller.streamed,
        request_id=caller.request_id,
        tag=caller.tag,
        key_fingerprint=caller.key_fingerprint,
        received_ns=caller.received_ns,
        first_content_ns=moments_ns[0] if moments_ns else None,
        last_content_ns=moments_ns[-1] if moments_ns else None,
        ended_ns=time.monotonic_ns(),
        gap_p95_ns=gap_p95_ns,
        gap_max_ns=gap_max_ns,
        chunks=len(moments_ns),
        status_code=status_code,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        cost_usd=0.0 if caller.model is None else caller.model.cost_usd(prompt_tokens, completion_tokens),
        ended=ended,
        fault=",".join(fault.spec.kind for fault in faults) or None,
        text_digest=digest,
    )
