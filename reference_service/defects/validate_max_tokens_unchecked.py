"""Planted defect: a negative max_tokens is taken for one token."""

from dataclasses import replace

from reference_service.guards.validate import Validate
from reference_service.parts import Parts
from reference_service.turn import Question


class LooseValidate(Validate):
    """Mends instead of refusing."""

    def question(self, body: dict[str, object]) -> Question:
        """Make any number fit."""
        given = body.get("max_tokens")
        if isinstance(given, int):
            body = {**body, "max_tokens": max(1, given)}
        return super().question(body)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, validate=LooseValidate)
