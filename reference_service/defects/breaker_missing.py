"""Planted defect: a dark provider is asked by every request for ever."""

from dataclasses import replace

from reference_service.breaker import Breaker
from reference_service.parts import Parts


class NoBreaker(Breaker):
    """Counts nothing."""

    def _count(self, *, ok: bool) -> None:
        pass


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, provider_breaker=NoBreaker)
