"""The description of the service's interface, OpenAPI 3.1, served at `/openapi.json`. A test holds the service to it."""

from typing import Any

Schema = dict[str, Any]

_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
_AFTER = {"name": "after", "in": "query", "schema": {"type": "integer", "minimum": 0, "maximum": 2**62, "default": 0}}
_LIMIT = {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 0, "maximum": 1000, "default": 100}}
_TEXT = r"\S"  # what is nothing but blanks is refused as empty
_EVERY_ANSWER = {
    name: {"description": what, "required": True, "schema": {"type": "string", "minLength": 1}}
    for name, what in (
        ("x-request-id", "The request's id: the caller's own where it is sane"),
        ("x-gateway-version", "The version that answered"),
        ("x-gateway-instance", "The instance that answered"),
    )
}
_ERROR: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {
                    "enum": [
                        "invalid_request_error", "authentication_error", "permission_error", "budget_exceeded", "content_blocked",
                        "rate_limit_exceeded", "guard_unavailable", "upstream_error", "internal_error",
                    ]
                },
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}  # fmt: skip
_COUNT = {"type": "integer", "minimum": 0}
_USAGE: Schema = {
    "type": "object",
    "required": ["prompt_tokens", "completion_tokens", "total_tokens"],
    "properties": {"prompt_tokens": _COUNT, "completion_tokens": _COUNT, "total_tokens": _COUNT},
}
_SOURCE: Schema = {
    "type": "object",
    "required": ["id", "title", "score"],
    "properties": {"id": {"type": "string"}, "title": {"type": "string"}, "score": {"type": "number"}},
}
_GATEWAY: Schema = {
    "type": "object",
    "required": ["cost_usd", "degraded", "sources"],
    "properties": {
        "cost_usd": {"type": "number", "minimum": 0},
        "degraded": {"enum": ["0", "no_context", "stale_cache", "canned"]},
        "sources": {"type": "array", "items": _SOURCE},
    },
}
_COMPLETION: Schema = {
    "type": "object",
    "required": ["id", "object", "created", "model", "choices", "usage", "gateway"],
    "properties": {
        "object": {"const": "chat.completion"},
        "choices": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["index", "message", "finish_reason"],
                "properties": {
                    "message": {"type": "object", "required": ["role", "content"], "properties": {"content": {"type": "string"}}},
                    "finish_reason": {"enum": ["stop", "length", "content_filter"]},
                },
            },
        },
        "usage": _USAGE,
        "gateway": _GATEWAY,
    },
}


def description(*, version: str, message_characters: int, conversation_messages: int) -> Schema:
    """Return the whole description. message_characters, conversation_messages: the limits in force."""
    said = {"type": "string", "minLength": 1, "maxLength": message_characters, "pattern": _TEXT}
    part = {"type": "object", "required": ["type", "text"], "properties": {"type": {"const": "text"}, "text": said}}
    message = {
        "type": "object",
        "required": ["role", "content"],
        "properties": {
            "role": {"enum": ["system", "user", "assistant"]},
            "content": {"anyOf": [said, {"type": "array", "minItems": 1, "items": part}]},
        },
    }
    question = {
        "type": "object",
        "required": ["messages"],
        "properties": {
            "messages": {"type": "array", "minItems": 1, "maxItems": conversation_messages, "items": message},
            "model": {"type": "string", "default": "auto"},
            "stream": {"type": "boolean", "default": False},
            "stream_options": {"type": ["object", "null"], "properties": {"include_usage": {"type": "boolean"}}},
            "max_tokens": {"type": ["integer", "null"], "minimum": 1},
            "max_completion_tokens": {"type": ["integer", "null"], "minimum": 1},
            "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 2},
            "top_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
            "n": {"const": 1},
        },
    }
    score = {
        "type": "object",
        "required": ["score", "request_id"],
        "properties": {
            "score": {"type": "integer", "minimum": 1, "maximum": 5},
            "request_id": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": _TEXT},
        },
    }
    document = {
        "type": "object",
        "required": ["id", "title", "body"],
        "properties": {
            "id": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": _TEXT},
            "title": {"type": "string", "minLength": 1, "maxLength": 500, "pattern": _TEXT},
            "body": {"type": "string", "minLength": 1, "maxLength": 100_000},
        },
    }
    status = {"type": "object", "required": ["status"], "properties": {"status": {"type": "string"}}}
    kept = {
        "type": "object",
        "required": ["id", "status", "answer"],
        "properties": {"status": {"enum": ["processing", "done", "failed"]}, "answer": {"type": ["object", "null"]}},
    }
    entries = {
        "type": "object",
        "required": ["entries"],
        "properties": {"entries": {"type": "array", "items": {"type": "object"}}},
    }
    paths = {
        "/v1/chat/completions": {
            "post": _operation(
                "Ask", question, "200", _COMPLETION, refused=(402, 404, 408, 413, 429, 500, 502, 503, 504), streamed=True
            )
        },
        "/message": {
            "post": _operation("Ask, and be answered later", question, "202", status, refused=(404, 408, 413, 429, 503))
        },
        "/message/{id}": {"get": _operation("How far a message is", None, "200", kept, refused=(404, 503), parameters=[_ID])},
        "/feedback": {"post": _operation("Rate an answer", score, "201", status, refused=(408, 413, 429, 503))},
        "/admin/knowledge": {"post": _operation("Put a document", document, "201", status, refused=(403, 408, 413, 503))},
        "/admin/knowledge/{id}": {
            "delete": _operation("Remove a document", None, "200", status, refused=(403, 404, 503), parameters=[_ID])
        },
        "/admin/audit": {
            "get": _operation(
                "Read the tenant's audit log", None, "200", entries, refused=(403, 503), parameters=[_AFTER, _LIMIT]
            )
        },
        "/live": {"get": _open("The process lives", ("200",), status)},
        "/ready": {"get": _open("Requests can be answered", ("200", "503"), status)},
        "/metrics": {"get": {"summary": "Prometheus metrics", "responses": {"200": _response("ok", {"text/plain": {}})}}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Reference service", "version": version},
        "paths": paths,
        "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
    }


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _response(said: str, content: Schema) -> Schema:
    return {"description": said, "headers": _EVERY_ANSWER, "content": content}


def _operation(
    summary: str,
    body: Schema | None,
    status: str,
    answer: Schema,
    *,
    refused: tuple[int, ...],
    parameters: list[Schema] | None = None,
    streamed: bool = False,
) -> Schema:
    content = _json(answer) | ({"text/event-stream": {}} if streamed else {})
    responses = {str(code): _response("refused", _json(_ERROR)) for code in (400, 401, *refused)}
    operation: Schema = {
        "summary": summary,
        "security": [{"key": []}],
        "responses": {status: _response("ok", content), **responses},
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": _json(body)}
    if parameters:
        operation["parameters"] = parameters
    return operation


def _open(summary: str, statuses: tuple[str, ...], answer: Schema) -> Schema:
    return {"summary": summary, "responses": {code: _response(summary, _json(answer)) for code in statuses}}
