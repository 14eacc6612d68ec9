"""A kind of fault as one process tells it to another: what it may be given, and nothing of its code."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from harness.model.fault import ActedBy, FaultKind, Layer, Parameter

_TYPES = {each.__name__: each for each in (int, float, str, bool)}


def kind_as_document(kind: FaultKind) -> dict[str, object]:
    """Return a kind as JSON can hold it."""
    return {
        "kind": kind.kind,
        "title": kind.title,
        "layer": kind.layer.value,
        "places": list(kind.places),
        "acted_by": kind.acted_by.value,
        "parameters": [{**asdict(part), "type": part.type.__name__} for part in kind.parameters],
        "source": kind.source,
    }


def kind_from_document(told: Mapping[str, Any]) -> FaultKind:
    """Return the kind that was told; it can be checked here, and not applied. Raises KeyError, TypeError, ValueError."""
    return FaultKind(
        kind=told["kind"],
        title=told["title"],
        layer=Layer(told["layer"]),
        places=tuple(told["places"]),
        acted_by=ActedBy(told["acted_by"]),
        parameters=tuple(
            Parameter(**{**part, "type": _TYPES[part["type"]], "choices": tuple(part["choices"])}) for part in told["parameters"]
        ),
        source=told["source"],
    )
