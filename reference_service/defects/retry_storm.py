"""Planted defect: every failed call is tried ten times, at once and without a budget."""

import random
from dataclasses import replace

from reference_service.guards.call_provider import CallProvider
from reference_service.guards.reserve_budget import ReserveBudget
from reference_service.metrics import Metrics
from reference_service.parts import Parts
from reference_service.provider.endpoint import Endpoint
from reference_service.provider.failure import ProviderFailure
from reference_service.settings import Settings
from reference_service.turn import Turn


class StormingCall(CallProvider):
    """Has no patience."""

    def __init__(
        self,
        endpoints: tuple[Endpoint, ...],
        budget: ReserveBudget,
        settings: Settings,
        metrics: Metrics,
        *,
        random_source: random.Random | None = None,
    ) -> None:
        super().__init__(endpoints, budget, settings.model_copy(update={"retries": 9}), metrics, random_source=random_source)

    async def _may_retry(self, turn: Turn, failure: ProviderFailure, attempt: int) -> bool:
        return failure.is_transient and attempt <= self._settings.retries


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, call_provider=StormingCall)
