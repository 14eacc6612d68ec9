"""The API over HTTP: routing, refusals and headers as Toxiproxy has them."""

import json
import secrets
from http import HTTPStatus
from urllib.parse import unquote

from aiohttp import web

from harness.faultproxy.api import Answer, Api, Call
from harness.faultproxy.failure import ApiError

_TEXT = "text/plain; charset=utf-8"


class Web:
    """Answers one HTTP request by one call of the API."""

    def __init__(self, api: Api) -> None:
        self._routes = api.routes()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request."""
        if request.headers.get("User-Agent", "").startswith("Mozilla/"):
            # A page in a browser must not reach the API of a proxy on this machine.
            return web.Response(status=HTTPStatus.FORBIDDEN, body=b"User agent not allowed\n", headers={"Content-Type": _TEXT})
        methods, names = self._match(request.rel_url.raw_path)
        if methods is None:
            return web.Response(status=HTTPStatus.NOT_FOUND, body=b"404 page not found\n", headers={"Content-Type": _TEXT})
        call = methods.get(request.method)
        if call is None:
            return web.Response(status=HTTPStatus.METHOD_NOT_ALLOWED)
        try:
            answer = await call(await request.read(), *names)
        except ApiError as error:
            body = json.dumps({"error": error.message, "status": int(error.status)}).encode() + b"\n"
            return self._response(error.status, body, _TEXT)
        return self._answered(answer)

    def _match(self, path: str) -> tuple[dict[str, Call] | None, list[str]]:
        parts = path[1:].split("/")
        for pattern, methods in self._routes.items():
            if len(pattern) == len(parts) and all(
                known in ("*", part) and part for known, part in zip(pattern, parts, strict=True)
            ):
                return methods, [unquote(part) for known, part in zip(pattern, parts, strict=True) if known == "*"]
        return None, []

    def _answered(self, answer: Answer) -> web.Response:
        if answer.body is None:
            return self._response(answer.status, b"", None)
        return self._response(answer.status, json.dumps(answer.body).encode(), "application/json")

    def _response(self, status: HTTPStatus, body: bytes, content_type: str | None) -> web.Response:
        headers = {"X-Toxiproxy-Request-Id": secrets.token_hex(10)}
        if content_type is not None:
            headers["Content-Type"] = content_type
        return web.Response(status=status, body=body, headers=headers)
