"""Planted defect: a half-open circuit lets everybody through to a provider that is still dark."""

from dataclasses import replace

from reference_service.breaker import Breaker, Permit
from reference_service.parts import Parts


class FloodBreaker(Breaker):
    """Probes with every request."""

    def admit(self) -> Permit | None:
        """Let pass whenever it is not open."""
        return None if self.state == "open" else Permit(self, self._generation)

    def _report(self, generation: int, ok: bool | None) -> None:
        self._probing = 1
        super()._report(generation, ok)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, provider_breaker=FloodBreaker)
