"""Planted defect: tokens of a streamed answer are not counted."""

from dataclasses import replace

from reference_service.metrics import Metrics
from reference_service.parts import Parts
from reference_service.turn import Reservation, Turn


class WholeMetrics(Metrics):
    """Counts whole answers only."""

    def spent(self, turn: Turn, held: Reservation) -> None:
        """Leave streams out."""
        if not turn.asked.stream:
            super().spent(turn, held)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, metrics=WholeMetrics)
