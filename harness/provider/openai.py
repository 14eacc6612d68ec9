"""The OpenAI shapes: requests decoded and checked, drafts rendered to scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from harness.model.simulated import SIMULATED_MODELS
from harness.provider.draft import Draft, Operation, Refusal
from harness.provider.framing import chunk, head
from harness.provider.script import Body, Close, Mark, Part, Piece, Place, Script, Tokens

if TYPE_CHECKING:
    from harness.provider.faults.base import ProviderFault


class ContentPart(msgspec.Struct, frozen=True):
    """One part of a message; only `text` is billed."""

    type: str
    text: str = ""


class Message(msgspec.Struct, frozen=True):
    """One message of a conversation."""

    role: str
    content: str | list[ContentPart] | None = None

    def text(self) -> str:
        """Return all text of the message."""
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        return "".join(part.text for part in self.content)


class StreamOptions(msgspec.Struct, frozen=True):
    """What `stream_options` may hold."""

    include_usage: bool = False


class ChatRequest(msgspec.Struct, frozen=True):
    """The part of a chat completion request that a simulated model minds; the rest is taken and left aside."""

    model: str
    messages: list[Message]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None


class EmbeddingsRequest(msgspec.Struct, frozen=True):
    """An embeddings request."""

    model: str
    input: str | list[str]


def error_body(message: str, error_type: str, code: str | None = None, param: str | None = None) -> bytes:
    """Return an OpenAI-shaped error."""
    return msgspec.json.encode({"error": {"message": message, "type": error_type, "param": param, "code": code}})


def models_body() -> bytes:
    """Return the answer of `GET /v1/models`."""
    data = [{"id": name, "object": "model", "created": 0, "owned_by": "simulated"} for name in SIMULATED_MODELS]
    return msgspec.json.encode({"object": "list", "data": data})


def render(draft: Draft) -> Script:
    """Return the script of a draft: a stream, a whole body, or a refusal."""
    if draft.refusal is not None:
        script = render_refusal(draft.refusal, draft.call_id)
        script.parts[:0] = draft.opening
        return script
    parts = _stream(draft) if draft.operation is Operation.CHAT and draft.streamed else _whole(draft)
    return Script(parts=[*draft.opening, *parts], chunked=draft.chunked, keep_alive=draft.chunked or not draft.streamed)


def render_refusal(refusal: Refusal, call_id: str) -> Script:
    """Return the script of an error status, or of a connection closed before any byte."""
    parts: list[Part] = [] if refusal.fault is None else [Mark(fault=refusal.fault)]
    if refusal.status_code is None:
        return Script(parts=[*parts, Close(abruptly=refusal.abruptly)], status_code=None, ended="cut")
    body = error_body(refusal.message, refusal.error_type, refusal.code, refusal.param)
    headers = [("content-type", "application/json"), ("x-request-id", call_id), *refusal.headers]
    data = head(refusal.status_code, headers, len(body)) + body
    parts.append(Piece(place=Place.HEAD, data=data))
    return Script(parts=parts, status_code=refusal.status_code, ended="refused", chunked=False)


def _marks(faults: list[ProviderFault]) -> list[Part]:
    return [Mark(fault=fault) for fault in faults]


def _usage(draft: Draft) -> dict[str, int]:
    prompt, completion = draft.usage()
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _envelope(draft: Draft, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{draft.call_id}",
        "object": kind,
        "created": draft.created_s,
        "model": draft.shown_model,
        "choices": choices,
    }


def _stream(draft: Draft) -> list[Part]:
    def event(choices: list[dict[str, Any]], usage: dict[str, int] | None = None) -> bytes:
        value = _envelope(draft, "chat.completion.chunk", choices)
        if draft.include_usage and not draft.usage_left_out:
            value["usage"] = usage
        return b"data: " + msgspec.json.encode(value) + b"\n\n"

    def piece(place: Place, payload: bytes) -> Piece:
        return Piece(place=place, data=chunk(payload) if draft.chunked else payload)

    headers = [
        ("content-type", draft.content_type or "text/event-stream; charset=utf-8"),
        ("cache-control", "no-cache"),
        ("x-request-id", draft.call_id),
        ("transfer-encoding", "chunked") if draft.chunked else ("connection", "close"),
    ]
    # The word goes where the marker stands; the model's name and the id cannot hold a NUL.
    marker = msgspec.json.encode("\0")
    template = event([{"index": 0, "delta": {draft.content_field: "\0"}, "finish_reason": None}])
    prefix, suffix = template.split(marker)
    tokens = Tokens(
        words=draft.words,
        first_wait_ns=draft.first_wait_ns,
        gap_ns=draft.gap_ns,
        prefix=prefix,
        suffix=suffix,
        chunked=draft.chunked,
        copies=draft.copies,
        blank=event([]) if draft.blank_chunks == 0 else None,
    )
    parts: list[Part] = [
        Piece(place=Place.HEAD, data=head(200, headers, None)),
        piece(Place.ROLE, event([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])),
        *_marks([fault for chunks, fault in draft.shown_after if chunks == 0]),
        *[piece(Place.OTHER, event([])) for _ in range(draft.blank_chunks or 0)],
        *_content(tokens, draft),
        piece(Place.FINISH, event([{"index": 0, "delta": {}, "finish_reason": draft.finish_reason}])),
    ]
    if draft.include_usage and not draft.usage_left_out:
        parts.append(piece(Place.USAGE, event([], _usage(draft))))
    if draft.include_usage:
        parts += _marks(draft.shown_in_usage)
    parts.append(piece(Place.DONE, b"data: [DONE]\n\n"))
    parts += _marks(draft.shown_at_end)
    if draft.chunked:
        parts.append(Piece(place=Place.OTHER, data=b"0\r\n\r\n"))
    return parts


def _content(tokens: Tokens, draft: Draft) -> list[Part]:
    """Return the tokens, with the marks of what shows in them."""
    script = Script(parts=[tokens])
    for chunks, fault in draft.shown_after:
        index = script.after_content(min(chunks, len(tokens.words))) if chunks else None
        if index is not None:
            script.parts.insert(index, Mark(fault=fault))
    return script.parts


def _whole(draft: Draft) -> list[Part]:
    usage = None if draft.usage_left_out else _usage(draft)
    if draft.operation is Operation.EMBEDDINGS:
        data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(draft.vectors)]
        value: dict[str, Any] = {"object": "list", "data": data, "model": draft.shown_model}
        if usage is not None:
            value["usage"] = {"prompt_tokens": usage["prompt_tokens"], "total_tokens": usage["prompt_tokens"]}
    else:
        message = {"role": "assistant", "content": None, draft.content_field: "".join(draft.words)}
        choice = {"index": 0, "message": message, "finish_reason": draft.finish_reason}
        value = _envelope(draft, "chat.completion", [] if draft.blank_chunks is not None else [choice])
        if usage is not None:
            value["usage"] = usage
    payload = msgspec.json.encode(value)
    if draft.edit_body is not None:
        payload = draft.edit_body(payload)
    headers = [("content-type", draft.content_type or "application/json"), ("x-request-id", draft.call_id)]
    first = head(200, headers, len(payload))
    body = Body(
        data=first + payload,
        split=len(first),
        tokens=len(draft.words),
        first_wait_ns=draft.first_wait_ns,
        gap_ns=draft.gap_ns,
    )
    shown = [fault for _, fault in draft.shown_after]
    return [body, *_marks([*shown, *draft.shown_in_usage, *draft.shown_at_end])]
