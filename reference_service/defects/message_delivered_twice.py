"""Planted defect: that an answer was delivered is not noted: it is delivered again and again."""

import uuid
from dataclasses import replace

from reference_service.parts import Parts
from reference_service.queue import Queue


class ForgetfulQueue(Queue):
    """Never knows that it was done."""

    async def delivered(self, message_id: uuid.UUID) -> bool:
        """Forget it."""
        return False


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, queue=ForgetfulQueue)
