"""The administrators' endpoints: the knowledge base of their own tenant."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reference_service.asked import Asked
from reference_service.errors import ContentBlocked, Forbidden, GuardUnavailable, InvalidRequest, StoreUnavailable
from reference_service.guards.validate import clean_text, parse_object
from reference_service.invalidation import Invalidation
from reference_service.pipeline import Pipeline
from reference_service.resources import Resources
from reference_service.retrieval.embedding import EmbeddingUnavailable
from reference_service.screening import matched_rule
from reference_service.turn import Turn

_LENGTHS = (("id", 128), ("title", 500), ("body", 100_000))


class Office(Asked):
    """The handlers."""

    def __init__(self, pipeline: Pipeline, resources: Resources) -> None:
        super().__init__(pipeline, resources.settings)
        self._audit = resources.audit
        self._knowledge = resources.knowledge
        self._invalidation = Invalidation(resources.database, pipeline.cache)

    async def put_knowledge(self, request: Request) -> Response:
        """Put a document into the tenant's knowledge base; every cached answer becomes a miss, on all instances."""
        async with self.asked(request) as turn:
            await self._admit(turn, "knowledge.put")
            body = parse_object(await turn.read_body(), max_depth=self._settings.json_max_depth)
            document_id, title, text = (_field(body, name, length) for name, length in _LENGTHS)
            # What stands here is shown to a model with every question: an order to it would be an injection of all users.
            if (rule := matched_rule(f"{title} {text}")) is not None:
                raise ContentBlocked("This document was refused by a content rule.", param="body", details={"rule": rule})
            try:
                await self._knowledge.put(turn.who.tenant, document_id, title, text)
                await self._invalidation.apply()
            except EmbeddingUnavailable as error:
                raise GuardUnavailable("embedding") from error
            except StoreUnavailable as error:
                raise GuardUnavailable("knowledge" if error.store == "postgres" else "cache") from error
            return JSONResponse({"status": "stored", "id": document_id}, 201)

    async def delete_knowledge(self, request: Request) -> Response:
        """Take a document out; what was answered from it is a miss."""
        async with self.asked(request) as turn:
            await self._admit(turn, "knowledge.delete")
            try:
                if await self._knowledge.remove(turn.who.tenant, request.path_params["id"]) is None:
                    raise InvalidRequest("There is no such document.", code="not_found", status=404)
                await self._invalidation.apply()
            except StoreUnavailable as error:
                raise GuardUnavailable("knowledge" if error.store == "postgres" else "cache") from error
            return JSONResponse({"status": "deleted", "id": request.path_params["id"]})

    async def read_audit(self, request: Request) -> Response:
        """Return the tenant's own entries, oldest first, `limit` after number `after`; for auditors and administrators."""
        async with self.asked(request) as turn:
            await self._admit(turn, "audit.read", roles=("admin", "auditor"))
            after, limit = _whole(request, "after", 0, 2**62), _whole(request, "limit", 100, 1000)
            try:
                return JSONResponse({"entries": await self._audit.read(turn.who.tenant, after=after, limit=limit)})
            except StoreUnavailable as error:
                raise GuardUnavailable("audit") from error

    async def _admit(self, turn: Turn, action: str, *, roles: tuple[str, ...] = ("admin",)) -> None:
        turn.action = action
        await self._pipeline.guards["authenticate"](turn)
        if turn.who.role not in roles:
            raise Forbidden(f"This needs the key of an {' or '.join(roles)}.")


def _whole(request: Request, name: str, default: int, most: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= most):
        raise InvalidRequest(f"{name} must be a whole number from 0 to {most}", param=name)
    return int(text)


def _field(body: dict[str, object], name: str, length: int) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise InvalidRequest(f"{name} must be a string", param=name)
    return clean_text(value, name, max_characters=length)
