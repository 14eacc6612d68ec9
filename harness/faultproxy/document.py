"""Bodies of requests: one JSON document, read as Go reads it into a struct.

Names match without case, unknown ones are left out, null keeps the default, and a wrong type is refused.
"""

import json
from typing import TypeVar, cast

from harness.faultproxy.failure import bad_request

T = TypeVar("T", str, bool, float)

_WORDS = {str: "string", bool: "true or false", float: "number"}


def parse(body: bytes) -> object:
    """Return the first JSON value of a body. Raises ApiError (400)."""
    try:
        text = body.decode()
        return json.JSONDecoder(parse_constant=_refuse_constant).raw_decode(text.lstrip())[0]
    except ValueError as error:
        raise bad_request(f"bad request body: {error if body.strip() else 'EOF'}") from error
    except RecursionError as error:
        raise bad_request("bad request body: nested too deeply") from error


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def mapping(value: object, what: str) -> dict[str, object]:
    """Return a JSON object with its names in lower case; null is empty. Raises ApiError (400)."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise bad_request(f"bad request body: {what} is {_shown(value)}; allowed: an object")
    return {str(name).lower(): part for name, part in value.items()}


def sequence(value: object, what: str) -> list[object]:
    """Return a JSON array; null is empty. Raises ApiError (400)."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise bad_request(f"bad request body: {what} is {_shown(value)}; allowed: an array")
    return value


def field(document: dict[str, object], name: str, default: T) -> T:
    """Return a field of the type of its default. Raises ApiError (400)."""
    value = document.get(name)
    if value is None:
        return default
    number = isinstance(default, float) and type(value) is int
    if type(value) is not type(default) and not number:
        raise bad_request(f"bad request body: {name} is {_shown(value)}; allowed: {_WORDS[type(default)]}")
    return cast("T", value)


def _shown(value: object) -> str:
    return json.dumps(value)[:60]
