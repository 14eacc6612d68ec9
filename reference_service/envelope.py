"""What every answer carries, errors and streams included: the request id and the x-gateway headers; and its count.

A pure ASGI layer around the whole application.
"""

import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reference_service.errors import Refusal
from reference_service.metrics import Metrics
from reference_service.pricing import usd_text
from reference_service.turn import Turn

_SANE_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
ROUTES = frozenset(
    {
        "/v1/chat/completions",
        "/message",
        "/feedback",
        "/admin/knowledge",
        "/admin/audit",
        "/live",
        "/ready",
        "/metrics",
        "/openapi.json",
    }
)
METHODS = frozenset({"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"})


@dataclass(slots=True, kw_only=True)
class Envelope:
    """One request as the outermost layer sees it. turn: set once it is a question for the guards.

    send is the server's own: what follows the first bytes of a stream may take it, since no layer adds anything to it.
    """

    request_id: str
    send: Send
    turn: Turn | None = None
    status: int = 500
    extra: dict[str, str] = field(default_factory=dict)


class Enveloped:
    """The outermost layer."""

    def __init__(self, app: ASGIApp, metrics: Metrics, *, instance: str, version: str, defect: str = "") -> None:
        self._app = app
        self._metrics = metrics
        self._fixed = [(b"x-gateway-version", version.encode()), (b"x-gateway-instance", instance.encode())]
        if defect:
            self._fixed.append((b"x-gateway-defect", defect.encode()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()
        given = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"x-request-id"), "")
        envelope = Envelope(request_id=given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex, send=send)
        scope["envelope"] = envelope

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                envelope.status = message["status"]
                message["headers"] = [*message.get("headers", ()), *self._headers(envelope)]
            await send(message)

        self._metrics.in_flight(1)
        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            self._metrics.in_flight(-1)
            method = scope["method"] if scope["method"] in METHODS else "other"
            self._metrics.http(method, route_of(scope["path"]), envelope.status, time.monotonic() - began)

    def _headers(self, envelope: Envelope) -> list[tuple[bytes, bytes]]:
        named = gateway_headers(envelope.turn)
        named["x-request-id"] = envelope.request_id
        return [*((k.encode(), v.encode("latin-1", "replace")) for k, v in named.items()), *self._fixed]


def gateway_headers(turn: Turn | None) -> dict[str, str]:
    """Return how the gateway came to an answer. A stream's cost is not known yet; it stands in the usage chunk."""
    if turn is None:
        return {
            "x-gateway-provider": "none",
            "x-gateway-attempts": "0",
            "x-gateway-fallback": "0",
            "x-gateway-circuit": "closed",
            "x-gateway-cache": "bypass",
            "x-gateway-degraded": "0",
        }
    headers = {
        "x-gateway-provider": turn.source,
        "x-gateway-attempts": str(turn.attempts),
        "x-gateway-fallback": str(int(turn.fallback)),
        "x-gateway-circuit": turn.circuit,
        "x-gateway-cache": turn.cache,
        "x-gateway-degraded": turn.degraded,
        **turn.limits,
    }
    if turn.features:
        headers["x-gateway-features"] = ",".join(turn.features)
    if turn.flow is None:
        headers["x-gateway-cost-usd"] = usd_text(turn.cost_nanousd)
    return headers


def route_of(path: str) -> str:
    """Return the route's label: bounded, whatever paths are tried."""
    if path in ROUTES:
        return path
    return next((f"{start}{{id}}" for start in ("/message/", "/admin/knowledge/") if path.startswith(start)), "other")


async def send_json(send: Send, status: int, value: object, headers: Mapping[str, str] | None = None) -> None:
    """Send a whole JSON answer."""
    body = msgspec.json.encode(value)
    lines = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    lines += [(k.encode(), v.encode("latin-1")) for k, v in (headers or {}).items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})


async def send_refusal(send: Send, refusal: Refusal) -> None:
    """Send an error answer."""
    await send_json(send, refusal.status, refusal.body(), refusal.headers)
