"""The endpoints around the chat: asynchronous messages, feedback, the knowledge base. They meet the same guards."""

import contextlib
import time
import uuid
from collections.abc import AsyncIterator

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reference_service.chat import reason_of
from reference_service.envelope import Envelope
from reference_service.errors import Forbidden, GuardUnavailable, InvalidRequest, Refusal, StoreUnavailable
from reference_service.guards.validate import clean_text, parse_object
from reference_service.inbox import Inbox
from reference_service.pipeline import Pipeline
from reference_service.resources import Resources
from reference_service.turn import Turn

_ENQUEUE = """
insert into message (id, account_id, tenant, request_id, body) values ($1, $2, $3, $4, $5::jsonb)
on conflict (id) do nothing
"""
_FETCH = "select id, state, answer from message where id = $1 and account_id = $2"
_FEEDBACK = "insert into feedback (account_id, request_id, score) values ($1, $2, $3)"
_KNOWLEDGE = """
insert into knowledge (tenant, id, title, body) values ($1, $2, $3, $4)
on conflict (tenant, id) do update set title = excluded.title, body = excluded.body, updated_at = now()
"""
NAMESPACE = uuid.UUID("6f1f4c8e-6b43-5f0a-9a4e-2a1c7d3b9e60")


class Desk:
    """The handlers."""

    def __init__(self, pipeline: Pipeline, resources: Resources) -> None:
        self._pipeline = pipeline
        self._database = resources.database
        self._settings = resources.settings

    async def enqueue(self, request: Request) -> Response:
        """Take a message and say `processing` at once; an `idempotency-key` makes sending it again harmless."""
        async with self._asked(request) as turn:
            await self._pipeline.admit(turn)
            key = request.headers.get("idempotency-key")
            message_id = uuid.uuid5(NAMESPACE, f"{turn.who.account_id}:{key}") if key else uuid.uuid4()
            body = msgspec.json.encode(
                {
                    "messages": [{"role": m.role, "content": m.content} for m in turn.asked.messages],
                    "model": turn.asked.model,
                    **turn.asked.parameters,
                }
            )
            try:
                await self._database.rows(
                    _ENQUEUE, message_id, turn.who.account_id, turn.who.tenant, turn.request_id, body.decode()
                )
            except StoreUnavailable as error:
                raise GuardUnavailable("queue") from error
            return JSONResponse({"id": str(message_id), "status": "processing"}, 202, {"location": f"/message/{message_id}"})

    async def fetch(self, request: Request) -> Response:
        """Return a message of the asking user; another's is not found."""
        async with self._asked(request) as turn:
            await self._pipeline.guards["authenticate"](turn)
            try:
                message_id = uuid.UUID(request.path_params["id"])
                rows = await self._database.rows(_FETCH, message_id, turn.who.account_id)
            except ValueError as error:
                raise InvalidRequest("The id is not one of ours.", code="not_found", status=404) from error
            except StoreUnavailable as error:
                raise GuardUnavailable("queue") from error
            if not rows:
                raise InvalidRequest("There is no such message.", code="not_found", status=404)
            row = rows[0]
            status = {"queued": "processing", "done": "done", "failed": "failed"}[row["state"]]
            answer = None if row["answer"] is None else msgspec.json.decode(row["answer"])
            return JSONResponse({"id": str(message_id), "status": status, "answer": answer})

    async def feedback(self, request: Request) -> Response:
        """Take a score of 1 to 5 for a request id."""
        async with self._asked(request) as turn:
            await self._pipeline.guards["authenticate"](turn)
            await self._pipeline.guards["rate_limit"](turn)
            body = parse_object(await turn.read_body(), max_depth=self._settings.json_max_depth)
            score, about = body.get("score"), body.get("request_id")
            if not isinstance(score, int) or isinstance(score, bool) or not 1 <= score <= 5:
                raise InvalidRequest("score must be a whole number from 1 to 5", param="score")
            if not isinstance(about, str):
                raise InvalidRequest("request_id must be a string", param="request_id")
            await self._write(_FEEDBACK, turn.who.account_id, clean_text(about, "request_id", max_characters=128), score)
            return JSONResponse({"status": "recorded"}, 201)

    async def knowledge(self, request: Request) -> Response:
        """Put a document into the tenant's knowledge base; every cached answer becomes a miss, on all instances."""
        async with self._asked(request) as turn:
            await self._pipeline.guards["authenticate"](turn)
            if turn.who.role != "admin":
                raise Forbidden("This needs an administrator's key.")
            body = parse_object(await turn.read_body(), max_depth=self._settings.json_max_depth)
            fields = []
            for name, length in (("id", 128), ("title", 500), ("body", 100_000)):
                value = body.get(name)
                if not isinstance(value, str):
                    raise InvalidRequest(f"{name} must be a string", param=name)
                fields.append(clean_text(value, name, max_characters=length))
            await self._write(_KNOWLEDGE, turn.who.tenant, *fields)
            try:
                await self._pipeline.cache.invalidate()
            except StoreUnavailable as error:
                raise GuardUnavailable("cache") from error
            return JSONResponse({"status": "stored", "id": fields[0]}, 201)

    async def _write(self, sql: str, *arguments: object) -> None:
        try:
            await self._database.rows(sql, *arguments)
        except StoreUnavailable as error:
            raise GuardUnavailable("database") from error

    @contextlib.asynccontextmanager
    async def _asked(self, request: Request) -> AsyncIterator[Turn]:
        """Give the turn of a request, and write its log line however it ends."""
        turn = self._turn(request)
        try:
            yield turn
        except Refusal as refusal:
            turn.error, turn.reason = refusal.type, reason_of(refusal)
            raise
        finally:
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
