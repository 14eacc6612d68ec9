"""Values checked against a table of parameters, with messages that name the parameter and what is allowed."""

from collections.abc import Mapping

from harness.errors import did_you_mean
from harness.model.fault import Parameter, Scalar

MAX_TEXT = 500


class RejectedError(ValueError):
    """A fault that cannot be taken as it is; the message says why and what is allowed."""


def checked(given: Mapping[str, object], table: tuple[Parameter, ...], where: str) -> dict[str, Scalar]:
    """Return the values with defaults filled in. Raises RejectedError.

    where: `parameters` or `trigger`, for the message.
    """
    names = [parameter.name for parameter in table]
    for name in given:
        if name not in names:
            allowed = ", ".join(names) or "none"
            raise RejectedError(f"{where}.{name:.80} is unknown; allowed: {allowed}{did_you_mean(name, names)}")
    values: dict[str, Scalar] = {}
    for parameter in table:
        value = given.get(parameter.name, parameter.default)
        if value is None:
            if parameter.required:
                raise RejectedError(f"{where}.{parameter.name} is missing; allowed: {allowed_of(parameter)}")
            continue
        values[parameter.name] = _value(value, parameter, f"{where}.{parameter.name}")
    return values


def allowed_of(parameter: Parameter) -> str:
    """Return what a parameter may be, for people."""
    unit = f" ({parameter.unit})" if parameter.unit else ""
    if parameter.choices:
        return ", ".join(parameter.choices)
    if parameter.type is bool:
        return "true, false"
    if parameter.type is str:
        return f"text of up to {MAX_TEXT} printable characters{unit}"
    word = "an integer" if parameter.type is int else "a number"
    if parameter.low is None and parameter.high is None:
        return f"{word}{unit}"
    low = "" if parameter.low is None else f" from {parameter.low:g}"
    high = "" if parameter.high is None else f" to {parameter.high:.15g}"
    return f"{word}{low}{high}{unit}"


def _value(value: object, parameter: Parameter, where: str) -> Scalar:
    result: Scalar
    if parameter.type is bool and isinstance(value, bool):
        return value
    if parameter.type is str and isinstance(value, str):
        if len(value) <= MAX_TEXT and value.isprintable() and (not parameter.choices or value in parameter.choices):
            return value
    elif parameter.type in (int, float) and isinstance(value, int | float) and not isinstance(value, bool):
        whole = isinstance(value, int) or value.is_integer()
        result = int(value) if parameter.type is int and whole else value
        fits = (parameter.low is None or value >= parameter.low) and (parameter.high is None or value <= parameter.high)
        if fits and (parameter.type is float or whole):
            return result
    hint = did_you_mean(value, parameter.choices) if isinstance(value, str) else ""
    raise RejectedError(f"{where} is {value!r:.80}; allowed: {allowed_of(parameter)}{hint}")
