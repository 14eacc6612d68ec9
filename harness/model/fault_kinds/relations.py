"""What must hold between two parameters of one fault."""

import re
from collections.abc import Mapping

from harness.model.fault import FaultKind, Layer
from harness.model.fault_kinds.provider import COUNTING

_FINGERPRINT = re.compile("[0-9a-f]{12}")


def unrelated(kind: FaultKind, parameters: Mapping[str, object]) -> list[str]:
    """Return the broken relations as sentences. parameters: each already of its type and within its range."""
    if (key := parameters.get("only_key")) is not None and not _FINGERPRINT.fullmatch(str(key)):
        return [f"only_key is {key!r}; use the first 12 hex digits of the key's sha256: printf %s KEY | sha256sum | cut -c 1-12"]
    if kind.kind == "latency":
        return _at_most(parameters, "jitter", "latency", "a chunk cannot be delivered before it arrived")
    if kind.kind == "slicer":
        return _at_most(parameters, "size_variation", "average_size", "a piece has at least one byte", strictly=True)
    if kind.kind == "clock_skew" and abs(int(str(parameters.get("offset", 2)))) < 2:
        return [f"offset is {parameters['offset']}; use -2 or less, or 2 or more: dates are told in whole seconds"]
    return _trigger(parameters) if kind.layer is Layer.PROVIDER else []


def _at_most(parameters: Mapping[str, object], small: str, large: str, why: str, *, strictly: bool = False) -> list[str]:
    less, more = parameters.get(small, 0), parameters.get(large, 0)
    if isinstance(less, int) and isinstance(more, int) and (less > more or (strictly and less == more)):
        return [f"{small} is {less} and {large} is {more}; use a {small} {'below' if strictly else 'of at most'} {large}: {why}"]
    return []


def _trigger(parameters: Mapping[str, object]) -> list[str]:
    problems = []
    picked = [name for name in COUNTING if name in parameters]
    if len(picked) > 1:
        problems.append(f"{' and '.join(picked)} exclude each other; use one of {', '.join(COUNTING)}")
    start, end = parameters.get("window_from_ms"), parameters.get("window_to_ms")
    if isinstance(start, int | float) and isinstance(end, int | float) and start >= end:
        problems.append(f"window_to_ms is {end} and window_from_ms is {start}; use a window_to_ms above window_from_ms")
    return problems
