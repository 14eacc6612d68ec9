"""What `harness try` found, for a program: the same as its text, and masked in every string."""

from collections.abc import Callable, Mapping, Sequence

from harness.model.target import Offer
from harness.target.external.findings import signals_on
from harness.target.external.preflight import joined_by
from harness.target.external.probe import Probe

SCHEMA = "harness.try/1"


def try_document(
    found: Probe, calls: Sequence[Mapping[str, object]], offer: Offer, mask: Callable[[str], str]
) -> dict[str, object]:
    """Return the exchange, its outcome, each signal, and the calls that it caused. mask: takes the key out of a text."""
    outcome = found.outcome
    document: dict[str, object] = {
        "schema": SCHEMA,
        "request": found.request.decode("latin-1"),
        "status": found.status,
        "headers": dict(found.headers),
        "body": found.body.decode("utf-8", "replace"),
        "took_s": round(found.took_s, 6),
        "outcome": {
            "result": outcome.result.value,
            "source": None if outcome.source is None else outcome.source.value,
            "refusal": None if outcome.refusal is None else outcome.refusal.value,
            "error_kind": None if outcome.error_kind is None else outcome.error_kind.value,
            "prompt_tokens": outcome.prompt_tokens,
            "completion_tokens": outcome.completion_tokens,
        },
        "signals": [
            {"line": row.line, "looked": row.looked, "value": row.value, "holds": row.holds}
            for row in signals_on(found, offer.signals)
        ],
        "calls": [dict(call) for call in calls],
        "joined_by": joined_by(found, list(map(dict, calls))) if calls else None,
    }
    masked = _masked(document, mask)
    assert isinstance(masked, dict)
    return masked


def _masked(value: object, mask: Callable[[str], str]) -> object:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, Mapping):
        return {mask(str(name)): _masked(each, mask) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [_masked(each, mask) for each in value]
    return value
