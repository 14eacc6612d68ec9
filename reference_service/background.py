"""What every process of the service does beside answering: each job again and again; a store that is down is let be."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from reference_service.errors import StoreUnavailable
from reference_service.invalidation import Invalidation
from reference_service.observability.day import DayFigures
from reference_service.pipeline import Pipeline
from reference_service.resources import Resources
from reference_service.retrieval.embedding import EmbeddingUnavailable

GENERATION_EVERY_S = 0.5
INVALIDATION_EVERY_S = 2.0
ALERTS_EVERY_S = 1.0
KEYS_EVERY_S = 1.0
SWEEP_EVERY_S = 10.0
INDEX_EVERY_S = 300.0
DAY_EVERY_S = 5.0


@contextlib.asynccontextmanager
async def in_background(resources: Resources, pipeline: Pipeline) -> AsyncIterator[None]:
    """Run the jobs for as long as the block lasts."""
    jobs: list[tuple[float, Callable[[], Awaitable[object]]]] = [
        (GENERATION_EVERY_S, pipeline.cache.refresh),
        (INVALIDATION_EVERY_S, Invalidation(resources.database, pipeline.cache).apply),
        (ALERTS_EVERY_S, resources.alerts.look),
        (KEYS_EVERY_S, pipeline.authenticate.refresh),
        (SWEEP_EVERY_S, lambda: resources.database.rows("select ledger_sweep()")),
        (INDEX_EVERY_S, resources.knowledge.index_missing),
        (DAY_EVERY_S, DayFigures(resources.database, resources.metrics, resources.settings, resources.workflows).refresh),
    ]
    tasks = [asyncio.create_task(_every(seconds, work)) for seconds, work in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


async def _every(seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    while True:
        with contextlib.suppress(StoreUnavailable, EmbeddingUnavailable):
            await work()
        await asyncio.sleep(seconds)
