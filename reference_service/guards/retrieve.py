"""What is known about it: passages of the tenant's knowledge base, put before the conversation as material, not orders.

A search that fails leaves the question to the model's own knowledge, marked as degraded and so never cached. A tenant
without documents is remembered until any knowledge changes (the cache's generation), and costs no search.
"""

import asyncio
import time
from collections.abc import Callable

from reference_service.errors import StoreUnavailable
from reference_service.guards.features import ENHANCED_RAG
from reference_service.retrieval.embedding import EmbeddingUnavailable
from reference_service.retrieval.knowledge import Knowledge
from reference_service.settings import Settings
from reference_service.turn import Turn, Utterance
from reference_service.workflow import Workflows

MAX_REMEMBERED = 10_000


class Retrieve:
    """Sets `passages` and `context`. generation: what changes whenever any knowledge does, None while unknown."""

    def __init__(
        self, knowledge: Knowledge, workflows: Workflows, settings: Settings, generation: Callable[[], str | None]
    ) -> None:
        self._knowledge = knowledge
        self._workflows = workflows
        self._settings = settings
        self._generation = generation
        self._empty: set[str] = set()
        self._empty_at: str | None = None

    async def __call__(self, turn: Turn) -> None:
        """Never raises: a question without its passages is answered, and marked."""
        workflow = self._workflows.of(turn.intent or "knowledge")
        if workflow.passages == 0:
            return
        generation = self._generation()
        if generation is None or generation != self._empty_at:
            self._empty.clear()
            self._empty_at = generation
        elif turn.who.tenant in self._empty:
            return
        began = time.monotonic()
        try:
            async with asyncio.timeout(min(self._settings.retrieval_timeout_s, max(0.0, turn.left_s()))):
                found = await self._knowledge.search(
                    turn.who.tenant, searched_for(turn), limit=workflow.passages, least_score=workflow.least_score
                )
                if not found and not await self._knowledge.holds_any(turn.who.tenant):
                    self._remember_empty(turn.who.tenant, generation)
                    return
        except (StoreUnavailable, EmbeddingUnavailable, TimeoutError):
            turn.degraded = "no_context"
            return
        finally:
            turn.retrieval_s = time.monotonic() - began
        turn.passages = found
        if found:
            listed = "\n".join(f"[{number}] {p.title}: {p.text}" for number, p in enumerate(found, 1))
            turn.context = (Utterance(role="system", content=f"{workflow.context}\n{listed}"),)

    def _remember_empty(self, tenant: str, generation: str | None) -> None:
        if generation is not None and generation == self._empty_at and len(self._empty) < MAX_REMEMBERED:
            self._empty.add(tenant)


def searched_for(turn: Turn) -> str:
    """Return what knowledge is searched for: the last message, and with enhanced retrieval the user's one before it too."""
    if ENHANCED_RAG not in turn.features:
        return turn.asked.last
    return "\n".join([m.content for m in turn.asked.messages if m.role == "user"][-2:])
