"""`POST /v1/chat/completions`: the guards, then the answer, whole or as a stream."""

import asyncio
import time
import traceback
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.types import Receive, Scope, Send

from reference_service.clock import wall_s
from reference_service.envelope import Envelope, send_json, send_refusal
from reference_service.errors import ContentBlocked, Refusal
from reference_service.events import gateway_body, model_of, usage_body
from reference_service.inbox import Disconnected, Inbox
from reference_service.pipeline import Pipeline
from reference_service.provider.failure import ProviderFailure
from reference_service.resources import Resources
from reference_service.turn import Answer, Turn

STREAM_HEADERS = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]


class ChatCompletions:
    """The endpoint, an ASGI application of its own."""

    def __init__(self, pipeline: Pipeline, resources: Resources) -> None:
        self._pipeline = pipeline
        self._resources = resources

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever happens, what it cost is settled and it is logged."""
        s = self._resources.settings
        task = asyncio.current_task()
        assert task is not None
        left: list[bool] = []

        def on_gone() -> None:
            left.append(True)
            task.cancel()

        inbox = Inbox(receive, max_bytes=s.body_max_bytes, read_s=s.body_read_s, on_gone=on_gone)
        envelope: Envelope = scope["envelope"]
        turn = Turn(
            uid=uuid.uuid4().hex,
            request_id=envelope.request_id,
            headers={k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]},
            read_body=inbox.body,
            deadline=time.monotonic() + s.deadline_s,
            circuit=self._resources.endpoints[0].breaker.state,
        )
        envelope.turn = turn
        try:
            await self._serve(turn, send, envelope.send)
        except Disconnected:
            turn.error = "client_disconnected"
        except asyncio.CancelledError:
            turn.error = "client_disconnected" if left else "cancelled"
            envelope.status = 499
            if not left:
                raise
            task.uncancel()
        finally:
            inbox.close()
            await self._finish(turn)

    async def _serve(self, turn: Turn, send: Send, straight: Send) -> None:
        try:
            await self._pipeline.admit(turn)
            await self._pipeline.answer(turn)
            first = await self._first(turn)
            if first is not None:
                assert turn.flow is not None
                await self._stream(turn, first, turn.flow, send, straight)
                return
            await self._close_books(turn)
        except Refusal as refusal:
            turn.error, turn.reason = refusal.type, reason_of(refusal)
            turn.flow = None
            await self._pipeline.guards["settle"](turn)
            await send_refusal(send, refusal)
            return
        except TimeoutError:
            turn.error = "stream_timeout"  # a client that does not read; its connection is closed unfinished
            return
        except Exception:  # noqa: BLE001 - the last line: an unforeseen fault is a typed 500, its trace stays in the log
            self._resources.write_log({"event": "fault", "request_id": turn.request_id, "trace": traceback.format_exc(limit=20)})
            turn.error = "internal_error"
            turn.flow = None
            await self._pipeline.guards["settle"](turn)
            await send_refusal(send, Refusal("Something went wrong on our side."))
            return
        assert turn.answer is not None
        if turn.asked.stream:
            await self._replay(turn, turn.answer, send)
        else:
            await send_json(send, 200, whole_body(turn, turn.answer))

    async def _first(self, turn: Turn) -> str | None:
        """Return the first text of a stream that may leave; a refusal up to here is a plain 400. None: the answer is whole.

        A stream that breaks while all of it is still held back is nobody's loss: the next model is asked.
        """
        while turn.flow is not None:
            try:
                return await anext(turn.flow)
            except (ProviderFailure, StopAsyncIteration):
                await turn.flow.aclose()
                turn.flow = None
                turn.broken.add(turn.source)
                await self._pipeline.guards["call_provider"](turn)
                await self._pipeline.guards["screen_answer"](turn)
        return None

    async def _stream(self, turn: Turn, first: str, flow: AsyncGenerator[str, None], send: Send, straight: Send) -> None:
        """Relay a live stream. After its first byte nothing is spliced: it ends with [DONE], or with an error event instead.

        straight: takes what follows the headers, past all layers, each of which would be a call for every token.
        """
        s = self._resources.settings
        async with aclosing(flow) as pieces, asyncio.timeout(s.deadline_s + s.stream_max_s):
            events = self._resources.parts.events(turn)
            await send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
            await _event(straight, events.content(first, first=True))
            try:
                async for piece in pieces:
                    await _event(straight, events.content(piece))
            except (ProviderFailure, ContentBlocked) as failure:
                turn.error = "content_blocked" if isinstance(failure, ContentBlocked) else "upstream_stream_error"
                await self._pipeline.guards["settle"](turn)
                await send({"type": "http.response.body", "body": events.broken(turn.error)})
                return
        assert turn.answer is not None
        await self._close_books(turn)
        await send({"type": "http.response.body", "body": events.end(turn, turn.answer)})

    async def _replay(self, turn: Turn, answer: Answer, send: Send) -> None:
        """Send a whole answer as a stream of one piece."""
        events = self._resources.parts.events(turn)
        await send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
        await _event(send, events.content(answer.text, first=True))
        await send({"type": "http.response.body", "body": events.end(turn, answer)})

    async def _close_books(self, turn: Turn) -> None:
        """Keep and settle before the last byte: who asks again at once finds both done."""
        await self._pipeline.guards["settle"](turn)
        await self._pipeline.guards["remember"](turn)
        await self._pipeline.guards["land"](turn)

    async def _finish(self, turn: Turn) -> None:
        if turn.flow is not None:
            await turn.flow.aclose()
        await self._pipeline.guards["land"](turn)
        await self._pipeline.guards["settle"](turn)
        await self._pipeline.guards["audit"](turn)
        await self._pipeline.guards["log"](turn)
        self._resources.metrics.turn(turn)


def reason_of(refusal: Refusal) -> str:
    """Return what the log may know of a refusal: its code, its rule or guard, and the internal cause."""
    parts = [refusal.code, *(str(refusal.details[k]) for k in ("rule", "guard", "scope") if k in refusal.details)]
    if refusal.__cause__ is not None:
        parts.append(f"{type(refusal.__cause__).__name__}: {refusal.__cause__}")
    return "; ".join(parts)


def whole_body(turn: Turn, answer: Answer) -> dict[str, object]:
    """Return the body of an answer that is not streamed."""
    return {
        "id": f"chatcmpl-{turn.uid}",
        "object": "chat.completion",
        "created": int(wall_s()),
        "model": model_of(turn),
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": answer.text}, "finish_reason": answer.finish_reason}
        ],
        "usage": usage_body(answer),
        "gateway": gateway_body(turn),
    }


async def _event(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})
