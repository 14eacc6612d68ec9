"""Planted defect: a message that is sent again under its idempotency key is answered and paid again."""

import uuid
from dataclasses import replace

from reference_service.message_store import DeskStore
from reference_service.parts import Parts


class FreshDeskStore(DeskStore):
    """Gives each message an id of its own."""

    def id_of(self, account_id: int, key: str | None) -> uuid.UUID:
        """Mind no key."""
        return super().id_of(account_id, None)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, desk_store=FreshDeskStore)
