"""The endpoints around the chat: asynchronous messages and feedback. They meet the same guards."""

import uuid
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reference_service.asked import Asked
from reference_service.errors import GuardUnavailable, InvalidRequest, StoreUnavailable
from reference_service.guards.validate import clean_text, parse_object, whole_number
from reference_service.pipeline import Pipeline
from reference_service.resources import Resources
from reference_service.sealing import Sealer, Unsealable


def answer_of(row: Any, message_id: uuid.UUID, sealer: Sealer) -> object:
    """Return a message's answer, None while there is none; one of an older version is not sealed. Raises Unsealable."""
    if row["answer_sealed"] is not None:
        return msgspec.json.decode(sealer.open(row["answer_sealed"], f"message:{message_id}:answer_sealed"))
    return None if row["answer"] is None else msgspec.json.decode(row["answer"])


class Desk(Asked):
    """The handlers."""

    def __init__(self, pipeline: Pipeline, resources: Resources) -> None:
        super().__init__(pipeline, resources.settings)
        self._store = resources.parts.desk_store(resources.database)
        self._sealer = resources.sealer

    async def enqueue(self, request: Request) -> Response:
        """Take a message and say `processing` at once; an `idempotency-key` makes sending it again harmless."""
        async with self.asked(request) as turn:
            turn.action = "message"
            await self._pipeline.admit(turn)
            message_id = self._store.id_of(turn.who.account_id, request.headers.get("idempotency-key"))
            body = msgspec.json.encode(
                {
                    "messages": [{"role": m.role, "content": m.content} for m in turn.asked.messages],
                    "model": turn.asked.model,
                    **turn.asked.parameters,
                }
            )
            try:
                await self._store.enqueue(
                    message_id,
                    turn.who.account_id,
                    turn.who.tenant,
                    turn.request_id,
                    self._sealer.seal(body, f"message:{message_id}:body_sealed"),
                )
            except StoreUnavailable as error:
                raise GuardUnavailable("queue") from error
            return JSONResponse({"id": str(message_id), "status": "processing"}, 202, {"location": f"/message/{message_id}"})

    async def fetch(self, request: Request) -> Response:
        """Return a message of the asking user; another's is not found."""
        async with self.asked(request) as turn:
            turn.action = "message.read"
            await self._pipeline.guards["authenticate"](turn)
            try:
                message_id = uuid.UUID(request.path_params["id"])
                row = await self._store.fetch(message_id, turn.who.account_id)
            except ValueError as error:
                raise InvalidRequest("The id is not one of ours.", code="not_found", status=404) from error
            except StoreUnavailable as error:
                raise GuardUnavailable("queue") from error
            if row is None:
                raise InvalidRequest("There is no such message.", code="not_found", status=404)
            status = {"queued": "processing", "done": "done", "failed": "failed"}[row["state"]]
            try:
                answer = answer_of(row, message_id, self._sealer)
            except Unsealable as error:
                raise GuardUnavailable("sealing") from error
            return JSONResponse({"id": str(message_id), "status": status, "answer": answer})

    async def feedback(self, request: Request) -> Response:
        """Take a score of 1 to 5 for a request id."""
        async with self.asked(request) as turn:
            turn.action = "feedback"
            await self._pipeline.guards["authenticate"](turn)
            await self._pipeline.guards["rate_limit"](turn)
            body = parse_object(await turn.read_body(), max_depth=self._settings.json_max_depth)
            score, about = whole_number(body.get("score")), body.get("request_id")
            if score is None or not 1 <= score <= 5:
                raise InvalidRequest("score must be a whole number from 1 to 5", param="score")
            if not isinstance(about, str):
                raise InvalidRequest("request_id must be a string", param="request_id")
            about = clean_text(about, "request_id", max_characters=128)
            try:
                await self._store.score(turn.who.account_id, about, score)
            except StoreUnavailable as error:
                raise GuardUnavailable("database") from error
            return JSONResponse({"status": "recorded"}, 201)
