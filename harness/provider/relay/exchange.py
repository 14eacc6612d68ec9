"""One call passed on to a real provider: a script whose content is not known before it comes.

Where a script of the simulated provider has its words, this one has "the next event that says something"; faults edit it
before the first byte as they edit any other, so that a cut after four chunks is one after four chunks of the real answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from harness.model.sample import Call
from harness.provider.draft import Draft
from harness.provider.exchange import Caller, record_of
from harness.provider.faults.base import ProviderFault
from harness.provider.framing import chunk, head
from harness.provider.openai import error_body
from harness.provider.relay.events import Event, Events, What, Whole
from harness.provider.relay.order import Upstream
from harness.provider.relay.upstream import BrokenOffError, UnreachableError, UpstreamCall, passed_on
from harness.provider.script import Body, Close, Hold, Mark, Part, Piece, Place, Script, Tokens
from harness.provider.wire import Connection

MOST_EVENTS = 4_096
"""Places for content in a script; what a longer answer says is passed on too, but no fault can be put behind it."""

_FOLLOWS = {
    Place.FINISH: (What.OTHER, What.CONTENT, What.FINISH),
    Place.USAGE: (What.OTHER, What.USAGE),
    Place.DONE: (What.OTHER, What.DONE),
}


class _GoneError(Exception):
    """The caller reads no more."""


class Relayed:
    """Asks, passes on what comes, and leaves a record. bill: (prompt, completion) tokens, None where nothing is owed."""

    def __init__(
        self,
        *,
        caller: Caller,
        draft: Draft,
        faults: Sequence[ProviderFault],
        upstream: Upstream,
        path: str,
        body: bytes,
        connection: Connection,
        on_end: Callable[[Call, tuple[int, int] | None], None],
    ) -> None:
        self.caller = caller
        self.faults: list[ProviderFault] = []
        self._draft = draft
        self._triggered = faults
        self._upstream = upstream
        self._path = path
        self._body = body
        self._connection = connection
        self._on_end = on_end
        self._task: asyncio.Task[None] | None = None
        self._let_go = asyncio.Event()
        self._content_ns: list[int] = []
        self._usage: tuple[int, int] | None = None
        self._owes = False
        self._status_code: int | None = None
        self._over = False

    def start(self) -> asyncio.Task[None]:
        """Begin; the task is the caller's to keep."""
        self._connection.in_flight = self
        self._task = asyncio.create_task(self._run())
        return self._task

    def client_gone(self) -> None:
        """End here; what came so far is owed."""
        if not self._over:
            self._end("client_gone")
            if self._task is not None and self._task is not asyncio.current_task():
                self._task.cancel()

    def release(self) -> None:
        """Go on: the fault that holds this call has let go."""
        self._let_go.set()

    async def _run(self) -> None:
        try:
            await self._relay()
        except _GoneError:
            self.client_gone()
        except UnreachableError as error:
            self._owes = False
            body = error_body(str(error), "server_error", "upstream_unreachable")
            self._status_code = 502
            self._connection.send(head(502, [("content-type", "application/json")], len(body)) + body)
            self._end("refused")
        except BrokenOffError:
            self._end("cut", close=True)

    async def _relay(self) -> None:
        await self._play(Script(parts=list(self._draft.opening)), None)
        self._owes = True  # from here on the provider may bill, whatever becomes of the answer
        request_id = [] if self.caller.request_id is None else [("x-request-id", self.caller.request_id)]
        call = await UpstreamCall.open(self._upstream, "POST", self._path, request_id, self._body)
        try:
            streams = call.headers.get("content-type", "").startswith("text/event-stream")
            script, events = await (self._stream(call) if streams and call.status_code < 300 else self._whole(call))
            for fault in self._triggered if call.status_code < 300 else ():
                fault.edit_script(script)
            if not await self._play(script, events):
                return
        finally:
            call.close()
        self._end(script.ended, keep_alive=script.keep_alive)

    async def _whole(self, call: UpstreamCall) -> tuple[Script, None]:
        """Return the script of an answer in one piece."""
        payload, status_code = await call.rest(), call.status_code
        headers = passed_on(call.headers)
        if status_code >= 300:
            self._owes = False
            data = head(status_code, headers, len(payload)) + payload
            return Script(parts=[Piece(place=Place.HEAD, data=data)], status_code=status_code, ended="refused"), None
        self._usage = Whole.usage_in(payload)
        payload = payload if self._draft.edit_body is None else self._draft.edit_body(payload)
        first = head(status_code, headers, len(payload))
        tokens = 0 if self._usage is None else self._usage[1]
        body = Body(data=first + payload, split=len(first), tokens=tokens, first_wait_ns=0, gap_ns=0)
        marks: list[Part] = [Mark(fault=fault) for _, fault in self._draft.shown_after]
        return Script(parts=[body, *marks], status_code=status_code, chunked=self._draft.chunked), None

    async def _stream(self, call: UpstreamCall) -> tuple[Script, Events]:
        """Return the script of a stream that is still coming, and where it comes from."""
        chunked = self._draft.chunked
        framing = ("transfer-encoding", "chunked") if chunked else ("connection", "close")
        tokens = Tokens(
            words=("...",) * MOST_EVENTS,
            first_wait_ns=0,
            gap_ns=0,
            prefix=b'data: {"choices":[{"index":0,"delta":{"content":',
            suffix=b"}}]}\n\n",
            chunked=chunked,
        )
        parts: list[Part] = [
            Piece(place=Place.HEAD, data=head(call.status_code, [*passed_on(call.headers), framing], None)),
            tokens,
            *(Piece(place=place, data=b"") for place in (Place.FINISH, Place.USAGE, Place.DONE)),
        ]
        if chunked:
            parts.append(Piece(place=Place.OTHER, data=b"0\r\n\r\n"))
        script = Script(parts=parts, status_code=call.status_code, chunked=chunked, keep_alive=chunked)
        return script, Events(call.piece)

    async def _play(self, script: Script, events: Events | None) -> bool:
        """Do the parts in their order; return False when the call is over by one of them."""
        for part in script.parts:
            if isinstance(part, Mark):
                self._touch(part.fault)
            elif isinstance(part, Hold):
                await self._wait(part)
            elif isinstance(part, Close):
                self._end(script.ended, close=True, abruptly=part.abruptly)
                return False
            elif isinstance(part, Body):
                self._send(part.data, script)
                self._content_ns.append(time.monotonic_ns())
            elif isinstance(part, Tokens):
                assert events is not None
                await self._content(len(part.words), events, script)
            elif part.data:
                self._send(part.data, script)
            elif events is not None:
                await self._follow(part.place, events, script)
        return True

    async def _content(self, count: int, events: Events, script: Script) -> None:
        """Pass on so many events that say something, or fewer where the answer has no more, and what stands between."""
        while count and (event := await events.ahead()).what in (What.CONTENT, What.OTHER):
            events.take()
            self._pass(event, script)
            count -= event.what is What.CONTENT

    async def _follow(self, place: Place, events: Events, script: Script) -> None:
        while (event := await events.ahead()).what in _FOLLOWS[place]:
            events.take()
            self._pass(event, script)

    def _pass(self, event: Event, script: Script) -> None:
        if event.usage is not None:
            self._usage = event.usage
        if event.what is What.USAGE and not self._draft.include_usage:
            return  # we asked for it, the caller did not
        self._send(chunk(event.data) if script.chunked else event.data, script)
        if event.what is What.CONTENT:
            self._content_ns.append(time.monotonic_ns())

    def _send(self, data: bytes, script: Script) -> None:
        if self._over or not self._connection.send(data):
            raise _GoneError
        self._status_code = script.status_code

    async def _wait(self, hold: Hold) -> None:
        fault, call_id = hold.fault, self.caller.call_id
        if not fault.holds(call_id):
            return
        self._touch(fault)
        self._let_go.clear()
        fault.held[call_id] = self
        try:
            async with asyncio.timeout(None if hold.for_ns is None else hold.for_ns / 1e9):
                await self._let_go.wait()
        except TimeoutError:
            pass
        finally:
            fault.held.pop(call_id, None)

    def _touch(self, fault: ProviderFault) -> None:
        if fault not in self.faults:
            self.faults.append(fault)
            fault.acted += 1

    def _end(self, ended: str, *, close: bool = False, abruptly: bool = False, keep_alive: bool = True) -> None:
        if self._over:
            return
        self._over = True
        bill = None
        if self._owes:
            # Of an answer that was broken off nobody tells the usage: its events are its tokens then.
            bill = self._usage or (self.caller.prompt_tokens, len(self._content_ns))
        self._connection.in_flight = None
        record = record_of(
            self.caller,
            ended,
            moments_ns=self._content_ns,
            status_code=self._status_code,
            prompt_tokens=0 if bill is None else bill[0],
            completion_tokens=0 if bill is None else bill[1],
            faults=self.faults,
        )
        self._on_end(record, bill)
        if close:
            self._connection.close(abruptly=abruptly)
        elif ended != "client_gone":
            self._connection.done(keep_alive=self.caller.keep_alive and keep_alive)
