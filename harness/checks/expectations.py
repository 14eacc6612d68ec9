"""What answers may be held to: by status, and by the typed error body that every refusal has."""

import json
from collections.abc import Callable

from harness.model.probe import ProbeRecord

Holds = Callable[[ProbeRecord], bool]
_TRACES = ("Traceback (most recent call last)", 'File "/', "raise ", "asyncpg", "at 0x")


def is_good(record: ProbeRecord) -> bool:
    """Return whether it was answered with a 2xx."""
    return record.status_code is not None and 200 <= record.status_code < 300


def is_status(*codes: int) -> Holds:
    """Return what holds of these statuses."""
    return lambda record: record.status_code in codes


def is_typed(status: int, code: str | None = None) -> Holds:
    """Return what holds of a typed error of that status (and code): OpenAI's shape, a request id, no trace of the inside."""

    def holds(record: ProbeRecord) -> bool:
        error = error_of(record)
        if record.status_code != status or error is None or not record.headers.get("x-request-id"):
            return False
        if not all(isinstance(error.get(name), str) and error[name] for name in ("message", "type", "code")):
            return False
        return (code is None or error["code"] == code) and not any(trace in record.body for trace in _TRACES)

    return holds


def error_of(record: ProbeRecord) -> dict[str, object] | None:
    """Return the `error` object of an answer; None where there is none."""
    body = json_of(record)
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else None


def json_of(record: ProbeRecord) -> object:
    """Return the body as JSON; None where it is none."""
    try:
        value: object = json.loads(record.body)
    except ValueError:
        return None
    return value


def value_at(record: ProbeRecord, *steps: str | int) -> object:
    """Return what stands at a place in the body, by names and numbers; None where there is nothing."""
    value = json_of(record)
    for step in steps:
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and step < len(value):
            value = value[step]
        else:
            return None
    return value
