"""What is wrong with a fault, found before anything runs; and its parameters with the defaults filled in."""

import math
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from harness.errors import did_you_mean
from harness.model.fault import FaultKind, Layer, Parameter, Scalar
from harness.model.fault_kinds.catalogue import FAULT_KINDS
from harness.model.fault_kinds.relations import unrelated
from harness.model.fault_kinds.requests import refused_requests

MAX_TEXT = 500
"""The longest text of a parameter, in characters."""

_TYPE_NAMES = {
    int: "a whole number",
    float: "a number",
    str: f"text of up to {MAX_TEXT} printable characters",
    bool: "true or false",
}


def check_fault(at: str, kind: str, parameters: Mapping[str, object], places: Iterable[str]) -> list[str]:
    """Return every problem of a fault as a sentence with the allowed values; empty where there is none.

    places: every `at` that the target offers.
    """
    offered = sorted(places)
    problems: list[str] = []
    known = FAULT_KINDS.get(kind)
    if at not in offered:
        choice = f"it offers {', '.join(offered)}" if offered else "it offers no place for faults"
        problems.append(f"at is {at!r}, which the target does not offer; {choice}{did_you_mean(at, offered)}")
    if known is None:
        here = sorted(name for name, spec in FAULT_KINDS.items() if at not in offered or _may_act(spec, at))
        problems.append(f"kind is {kind!r}; use one of {', '.join(here)}{did_you_mean(kind, FAULT_KINDS)}")
        return problems
    if not _may_act(known, at):
        here = sorted(name for name, spec in FAULT_KINDS.items() if _may_act(spec, at))
        instead = f"; at {at} use one of {', '.join(here)}" if here else ""
        problems.append(f"a {kind} acts at {' or '.join(known.places)}, not at {at!r}{instead}")
    problems += _check_parameters(known, parameters)
    if known.layer is Layer.TRANSPORT and not problems:
        problems += refused_requests(at, parameters)
    return problems


def complete(kind: FaultKind, parameters: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Return the parameters with the defaults of those that were not given; one without a default stays away."""
    defaults = {part.name: part.default for part in kind.parameters if part.default is not None}
    return defaults | dict(parameters)


def _may_act(kind: FaultKind, at: str) -> bool:
    return any(fnmatchcase(at, place) for place in kind.places)


def _check_parameters(kind: FaultKind, parameters: Mapping[str, object]) -> list[str]:
    known = {part.name: part for part in kind.parameters}
    problems = []
    for name, value in parameters.items():
        if name not in known:
            allowed = f"it takes {', '.join(known)}" if known else "it takes none"
            problems.append(f"{kind.kind} has no parameter {name!r}; {allowed}{did_you_mean(name, known)}")
        elif problem := _check_value(known[name], value):
            problems.append(f"{name} is {value!r:.80}; {problem}")
    problems += [
        f"{kind.kind} needs {part.name} ({part.doc}), {_allowed(part)}"
        for part in kind.parameters
        if part.required and part.name not in parameters
    ]
    return problems or unrelated(kind, parameters)


def _check_value(part: Parameter, value: object) -> str | None:
    if not _has_type(part.type, value):
        return f"use {_allowed(part)}"
    if part.choices and value not in part.choices:
        return f"use {_allowed(part)}{did_you_mean(str(value), part.choices)}"
    if isinstance(value, str) and (len(value) > MAX_TEXT or not value.isprintable()):
        return f"use {_allowed(part)}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        low = -math.inf if part.low is None else part.low
        high = math.inf if part.high is None else part.high
        if not low <= value <= high:  # also true of NaN, which is neither
            return f"use {_allowed(part)}"
    return None


def _has_type(wanted: type, value: object) -> bool:
    if isinstance(value, bool):
        return wanted is bool
    if wanted is float:
        return isinstance(value, int | float)
    return isinstance(value, wanted)


def _allowed(part: Parameter) -> str:
    if part.choices:
        return " or ".join(repr(choice) for choice in part.choices)
    text = _TYPE_NAMES[part.type]
    if part.unit:
        text += f" of {part.unit}"
    if part.low is not None and part.high is not None:
        text += f" within {_number(part.low)}..{_number(part.high)}"
    elif part.low is not None:
        text += f" from {_number(part.low)}"
    elif part.high is not None:
        text += f" up to {_number(part.high)}"
    return text


def _number(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() else f"{value:g}"
