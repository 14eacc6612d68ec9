"""A request of the smaller endpoints as a turn for the guards, with its log line and its audit however it ends."""

import contextlib
import time
import uuid
from collections.abc import AsyncIterator

from starlette.requests import Request

from reference_service.chat import reason_of
from reference_service.envelope import Envelope
from reference_service.errors import Refusal
from reference_service.inbox import Inbox
from reference_service.pipeline import Pipeline
from reference_service.settings import Settings
from reference_service.turn import Turn


class Asked:
    """What the handlers of the smaller endpoints share."""

    def __init__(self, pipeline: Pipeline, settings: Settings) -> None:
        self._pipeline = pipeline
        self._settings = settings

    @contextlib.asynccontextmanager
    async def asked(self, request: Request) -> AsyncIterator[Turn]:
        """Give the turn of a request, and write its log line however it ends."""
        turn = self._turn(request)
        try:
            yield turn
        except Refusal as refusal:
            turn.error, turn.reason = refusal.type, reason_of(refusal)
            raise
        finally:
            await self._pipeline.guards["audit"](turn)
            await self._pipeline.guards["log"](turn)

    def _turn(self, request: Request) -> Turn:
        s = self._settings
        envelope: Envelope = request.scope["envelope"]
        inbox = Inbox(request.receive, max_bytes=s.body_max_bytes, read_s=s.body_read_s, on_gone=None)
        envelope.turn = Turn(
            uid=uuid.uuid4().hex,
            request_id=envelope.request_id,
            headers=dict(request.headers),
            read_body=inbox.body,
            deadline=time.monotonic() + s.deadline_s,
        )
        return envelope.turn
