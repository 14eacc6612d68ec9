"""The bytes of one stream: server-sent events in OpenAI's shape."""

import msgspec

from reference_service.clock import wall_s
from reference_service.pricing import usd
from reference_service.turn import Answer, Turn


class Events:
    """The events of one stream; all but the text is encoded once."""

    def __init__(self, turn: Turn) -> None:
        self._base = {
            "id": f"chatcmpl-{turn.uid}",
            "object": "chat.completion.chunk",
            "created": int(wall_s()),
            "model": model_of(turn),
        }
        self._head = b"data: " + msgspec.json.encode(self._base)[:-1] + b',"choices":[{"index":0,"delta":{'
        self._role = b'"role":"assistant",'

    def content(self, text: str, *, first: bool = False) -> bytes:
        """Return the event that adds `text`."""
        role = self._role if first else b""
        return b"".join((self._head, role, b'"content":', msgspec.json.encode(text), b'},"finish_reason":null}]}\n\n'))

    def end(self, turn: Turn, answer: Answer) -> bytes:
        """Return the last events: the reason, the usage where it was asked for, and [DONE]."""
        out = self._head + b'},"finish_reason":' + msgspec.json.encode(answer.finish_reason) + b"}]}\n\n"
        if turn.asked.include_usage:
            usage = {
                **self._base,
                "choices": [],
                "usage": usage_body(answer),
                "gateway": gateway_body(turn),
            }
            out += b"data: " + msgspec.json.encode(usage) + b"\n\n"
        return out + b"data: [DONE]\n\n"

    def broken(self, kind: str) -> bytes:
        """Return the error event that ends a stream that broke."""
        error = {"message": "The answer broke off.", "type": kind, "param": None, "code": kind}
        return b"data: " + msgspec.json.encode({"error": error}) + b"\n\n"


def gateway_body(turn: Turn) -> dict[str, object]:
    """Return what the gateway says of an answer: its cost, whether it is degraded, the passages it was given."""
    sources = [{"id": p.document_id, "title": p.title, "score": p.score} for p in turn.passages]
    return {"cost_usd": usd(turn.cost_nanousd), "degraded": turn.degraded, "sources": sources}


def usage_body(answer: Answer) -> dict[str, int]:
    """Return OpenAI's usage object."""
    p, c = answer.usage.prompt_tokens, answer.usage.completion_tokens
    return {"prompt_tokens": p, "completion_tokens": c, "total_tokens": p + c}


def model_of(turn: Turn) -> str:
    """Return the model that answers, or who else does."""
    used = [r.model for r in turn.reservations if r.used]
    if turn.source in ("primary", "secondary") and used:
        return used[-1]
    return turn.source if turn.source == "rule" else ("cache" if turn.cache.startswith(("hit", "stale")) else "canned")
