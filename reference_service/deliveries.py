"""Answers on their way to the operator's webhook: at least once, each time the same, and not again once it is noted."""

import uuid

from reference_service.messages import answer_of
from reference_service.queue import Queue
from reference_service.resources import LogWriter
from reference_service.sealing import Sealer, Unsealable
from reference_service.webhook import Webhook

SOON_S = 0.05


class Deliveries:
    """The work of a delivering job."""

    def __init__(self, queue: Queue, webhook: Webhook, sealer: Sealer, write_log: LogWriter) -> None:
        self._queue = queue
        self._webhook = webhook
        self._sealer = sealer
        self._write_log = write_log

    async def one(self, message_id: uuid.UUID) -> float | None:
        """Send an answer; return None once that is noted, else the seconds until it is due again. Raises StoreUnavailable."""
        row = await self._queue.next_delivery(message_id)
        if row is None:
            due_s = await self._queue.delivery_due_s(message_id)
            return None if due_s is None else max(due_s, SOON_S)
        again_s: float = row["wait_s"]
        try:
            answer = answer_of(row, message_id, self._sealer)
        except Unsealable as error:
            self._write_log({"event": "delivery_failed", "message_id": str(message_id), "reason": str(error)})
            return again_s
        taken = await self._webhook.deliver(message_id, row["state"], answer)
        return None if taken and await self._queue.delivered(message_id) else again_s
