"""What happened: one line of JSON a request on standard error, masked, with the request id."""

import time
from collections.abc import Callable

from reference_service.masking import mask, mask_user
from reference_service.pricing import usd
from reference_service.turn import Turn

QUERY_CHARACTERS = 200


class Log:
    """Writes the line. write: takes the fields of one line."""

    def __init__(self, write: Callable[[dict[str, object]], None]) -> None:
        self._write = write

    async def __call__(self, turn: Turn) -> None:
        """Never fails for want of a field: what a refused request did not get to is null."""
        usage = turn.answer.usage if turn.answer is not None else None
        self._write(
            {
                "event": "request",
                "request_id": turn.request_id,
                "user": None if turn.identity is None else mask_user(turn.identity.name),
                "tenant": None if turn.identity is None else turn.identity.tenant,
                "query": self.query(turn),
                "intent": turn.intent,
                "complexity": turn.complexity,
                "model": turn.reservations[-1].model if turn.reservations else None,
                "provider": turn.source,
                "attempts": turn.attempts,
                "fallback": turn.fallback,
                "circuit": turn.circuit,
                "cache": turn.cache,
                "degraded": turn.degraded,
                "prompt_tokens": None if usage is None else usage.prompt_tokens,
                "completion_tokens": None if usage is None else usage.completion_tokens,
                "tokens": None if usage is None else usage.prompt_tokens + usage.completion_tokens,
                "retrieval_scores": [round(passage.score, 3) for passage in turn.passages],
                "retrieval_ms": None if turn.retrieval_s is None else round(turn.retrieval_s * 1000, 1),
                "cost_usd": usd(turn.cost_nanousd),
                "features": list(turn.features),
                "saved_usd": usd(turn.saved_nanousd),
                "error": turn.error,
                "reason": turn.reason,
                "latency_ms": round((time.monotonic() - turn.started) * 1000, 1),
            }
        )

    def query(self, turn: Turn) -> str | None:
        """Return the beginning of the question, masked; cut only after masking has seen what stands on the cut."""
        return None if turn.question is None else mask(turn.question.last[: QUERY_CHARACTERS * 2])[:QUERY_CHARACTERS]
