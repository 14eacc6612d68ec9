"""The settings of a check, completed and held to their ranges."""

from collections.abc import Mapping, Sequence

from harness.model.fault import Parameter, Scalar


def complete(parameters: Sequence[Parameter], given: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Return every setting of a check with its value. Raises ValueError on one that is of another type or out of range."""
    values: dict[str, Scalar] = {}
    for setting in parameters:
        value = given.get(setting.name, setting.default)
        if setting.type is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if value is None or not isinstance(value, setting.type) or (isinstance(value, bool) and setting.type is not bool):
            raise ValueError(f"`{setting.name}` is {value!r}; it wants {setting.doc} ({setting.type.__name__})")
        if isinstance(value, int | float) and not isinstance(value, bool):
            low, high = setting.low, setting.high
            if not (low is None or value >= low) or not (high is None or value <= high):  # NaN is in no range
                raise ValueError(f"`{setting.name}` is {value}; allowed: {low:g} to {high:g}")
        if setting.choices and value not in setting.choices:
            raise ValueError(f"`{setting.name}` is {value!r}; allowed: {', '.join(setting.choices)}")
        values[setting.name] = value
    return values
