"""What must hold between two parameters of one fault."""

from collections.abc import Mapping


def unrelated(kind: str, parameters: Mapping[str, object]) -> list[str]:
    """Return the broken relations as sentences. parameters: each already of its type and within its range."""
    if kind == "latency":
        return _at_most(parameters, "jitter", "latency", "a chunk cannot be delivered before it arrived")
    if kind == "slicer":
        return _at_most(parameters, "size_variation", "average_size", "a piece has at least one byte", strictly=True)
    return []


def _at_most(parameters: Mapping[str, object], small: str, large: str, why: str, *, strictly: bool = False) -> list[str]:
    less, more = parameters.get(small, 0), parameters.get(large, 0)
    if isinstance(less, int) and isinstance(more, int) and (less > more or (strictly and less == more)):
        return [f"{small} is {less} and {large} is {more}; use a {small} {'below' if strictly else 'of at most'} {large}: {why}"]
    return []
