"""The application: routes, health, and the envelope around them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from reference_service.admin import Office
from reference_service.background import in_background
from reference_service.chat import ChatCompletions
from reference_service.envelope import Enveloped
from reference_service.errors import InvalidRequest, Refusal
from reference_service.health import Drain
from reference_service.inbox import Disconnected
from reference_service.messages import Desk
from reference_service.openapi import description
from reference_service.pipeline import Pipeline
from reference_service.resources import Resources


def build_app(resources: Resources, pipeline: Pipeline, drain: Drain) -> ASGIApp:
    """Return the ASGI application; its lifespan opens and closes the resources."""
    s = resources.settings
    desk, office = Desk(pipeline, resources), Office(pipeline, resources)
    health = resources.parts.health(resources, drain)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if s.defect:
            resources.write_log({"event": "planted_defect", "under_test": True})
        await resources.open()
        warming = asyncio.create_task(resources.warm())
        try:
            async with in_background(resources, pipeline):
                yield
        finally:
            warming.cancel()
            await resources.close()

    async def metrics(_: Request) -> Response:
        text = resources.metrics.text({e.name: e.breaker.state for e in resources.endpoints}, resources.ledger.unsettled)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    described_as = description(
        version=s.version, message_characters=s.message_max_characters, conversation_messages=s.conversation_max_messages
    )

    async def described(_: Request) -> Response:
        return JSONResponse(described_as)

    app = Starlette(
        routes=[
            Route("/v1/chat/completions", ChatCompletions(pipeline, resources), methods=["POST"]),
            Route("/message", desk.enqueue, methods=["POST"]),
            Route("/message/{id}", desk.fetch, methods=["GET"]),
            Route("/feedback", desk.feedback, methods=["POST"]),
            Route("/admin/knowledge", office.put_knowledge, methods=["POST"]),
            Route("/admin/audit", office.read_audit, methods=["GET"]),
            Route("/admin/knowledge/{id}", office.delete_knowledge, methods=["DELETE"]),
            Route("/live", health.live),
            Route("/ready", health.ready),
            Route("/metrics", metrics),
            Route("/openapi.json", described),
        ],
        lifespan=lifespan,
        exception_handlers={HTTPException: _http_error, Refusal: _refusal, Disconnected: _gone},
    )
    app.router.redirect_slashes = False  # a path that is not ours is a typed 404, never a redirect without our headers
    return Enveloped(app, resources.metrics, instance=s.instance, version=s.version, defect=s.defect)


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    codes = {404: "not_found", 405: "method_not_allowed"}
    refusal = InvalidRequest(error.detail, status=error.status_code, code=codes.get(error.status_code), headers=error.headers)
    return JSONResponse(refusal.body(), refusal.status, refusal.headers)


async def _refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return JSONResponse(error.body(), error.status, error.headers)


async def _gone(_: Request, __: Exception) -> Response:
    return Response(status_code=499)
