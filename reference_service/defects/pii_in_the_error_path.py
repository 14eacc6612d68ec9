"""Planted defect: the log masks the questions that were answered, not those that were refused."""

from dataclasses import replace

from reference_service.guards.log import Log
from reference_service.parts import Parts
from reference_service.turn import Turn


class HastyLog(Log):
    """Does not mask in anger."""

    def query(self, turn: Turn) -> str | None:
        """Show the question of a refusal as it came."""
        if turn.error is not None and turn.question is not None:
            return turn.question.last
        return super().query(turn)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, log=HastyLog)
