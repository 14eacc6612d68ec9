"""Planted defect: a user is promised a person, and nobody is told."""

from dataclasses import replace

from reference_service.guards.route import Route
from reference_service.parts import Parts
from reference_service.turn import Turn
from reference_service.workflow import Workflow


class ForgetfulRoute(Route):
    """Promises without writing down."""

    async def _record(self, turn: Turn, workflow: Workflow) -> None:
        pass


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, route=ForgetfulRoute)
