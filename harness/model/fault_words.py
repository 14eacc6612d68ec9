"""Faults as people type them: `redis latency latency=800`."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from harness.errors import ConfigurationError, did_you_mean
from harness.model.fault import FaultKind, Scalar
from harness.model.fault_kinds.catalogue import FAULT_KINDS


def find_place(short: str, kind: str, places: Iterable[str]) -> str:
    """Return the place that a short name means: `redis` is `links.redis` for latency, `processes.redis` for freeze.

    places: what the target offers. A name that cannot be told comes back as it is, for `check_fault` to explain.
    Raises ConfigurationError where it could mean several.
    """
    offered = sorted(places)
    spec = FAULT_KINDS.get(kind)
    if short in offered or spec is None:
        return short
    meant = [at for at in offered if at.partition(".")[2] == short and any(fnmatchcase(at, place) for place in spec.places)]
    if len(meant) > 1:
        raise ConfigurationError(f"{short!r} could be {' or '.join(meant)}; write which")
    return meant[0] if meant else short


def read_parameters(kind: str, written: Sequence[str]) -> dict[str, Scalar]:
    """Return `latency=800 jitter=10` by the types of the kind's parameters. Raises ConfigurationError.

    Ranges are not checked here: `check_fault` does.
    """
    spec = FAULT_KINDS.get(kind)
    if spec is None:
        raise ConfigurationError(
            f"no kind of fault is called {kind!r}; see: harness list faults{did_you_mean(kind, FAULT_KINDS)}"
        )
    return dict(_parameter(spec, text) for text in written)


def _parameter(spec: FaultKind, text: str) -> tuple[str, Scalar]:
    name, equals, value = text.partition("=")
    types = {part.name: part.type for part in spec.parameters}
    if not equals:
        raise ConfigurationError(f"{text!r}: write NAME=VALUE, e.g. {next(iter(types), 'latency')}=...")
    if name not in types:
        allowed = f"it takes {', '.join(types)}" if types else "it takes none"
        raise ConfigurationError(f"{spec.kind} has no parameter {name!r}; {allowed}{did_you_mean(name, types)}")
    try:
        if types[name] is bool:
            return name, {"true": True, "false": False}[value.lower()]
        return name, types[name](value)
    except (ValueError, KeyError) as error:
        what = {bool: "true or false", int: "a whole number", float: "a number"}[types[name]]
        raise ConfigurationError(f"{name} is {value!r}; use {what}") from error
