"""Planted defect: a score is thanked for and thrown away, so that satisfaction cannot be measured."""

from dataclasses import replace

from reference_service.message_store import DeskStore
from reference_service.parts import Parts


class DeafDeskStore(DeskStore):
    """Takes scores and keeps none."""

    async def score(self, account_id: int, request_id: str, score: int) -> None:
        """Do nothing with it."""


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, desk_store=DeafDeskStore)
