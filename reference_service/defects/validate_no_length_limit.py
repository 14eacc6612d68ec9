"""Planted defect: a message may be as long as its body."""

from dataclasses import replace

from reference_service.guards.validate import Validate
from reference_service.parts import Parts
from reference_service.settings import Settings


class LongValidate(Validate):
    """Has time for everything."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.model_copy(update={"message_max_characters": 10**9}))


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, validate=LongValidate)
