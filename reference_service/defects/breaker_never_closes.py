"""Planted defect: a circuit that has opened stays open."""

from dataclasses import replace

from reference_service.breaker import Breaker, State
from reference_service.parts import Parts


class StuckBreaker(Breaker):
    """Opens for good."""

    def _enter(self, state: State) -> None:
        super()._enter(state)
        if state == "open":
            self._open_until = float("inf")


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, provider_breaker=StuckBreaker)
