"""A toxic as its owner set it: type, direction, share of connections, attributes; and the checks on them."""

import enum
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.faultproxy.failure import ApiError, bad_request
from harness.faultproxy.requests import Requests
from harness.faultproxy.toxics import TOXICS
from harness.faultproxy.toxics.stage import Line, Number, Stage, Tally
from harness.model.fault import Parameter


class Direction(enum.StrEnum):
    """Which way the bytes go."""

    UPSTREAM = "upstream"  # client to server
    DOWNSTREAM = "downstream"  # server to client


@dataclass(slots=True, kw_only=True)
class Toxic:
    """One toxic of one proxy.

    stream: the direction as the client spelled it. toxicity: share of connections, 0..1.
    edits: counts the edits, so that each one draws anew which connections it touches.
    requests: which HTTP requests it acts on; None for whole connections.
    """

    name: str
    type: str
    stream: str
    toxicity: float
    attributes: dict[str, Number]
    tally: Tally = field(default_factory=Tally)
    edits: int = 0
    requests: Requests | None = None

    @property
    def direction(self) -> Direction:
        """The direction, whatever the spelling."""
        return Direction(self.stream.lower())

    def stage(self, line: Line, seed: str) -> Stage:
        """Return the toxic's stage for one direction of one connection; `seed` names both."""
        return TOXICS[self.type](line, self.attributes, self.tally, random.Random(f"{seed}|{self.name}"))

    def strikes(self, seed: str) -> bool:
        """Draw whether the toxic touches a connection: the same answer for the same seed until the next edit."""
        if self.toxicity >= 1:
            return True
        return random.Random(f"{seed}|{self.name}|strikes|{self.edits}").random() < self.toxicity


def checked_toxicity(value: Number) -> float:
    """Return a toxicity within 0..1. Raises ApiError (400)."""
    if not 0 <= value <= 1:
        raise bad_request(f"toxicity is {value!r}; allowed: 0 to 1, the share of connections that the toxic touches")
    return value


def checked_attributes(type_: str, given: Mapping[str, object], current: Mapping[str, Number] | None = None) -> dict[str, Number]:
    """Return all attributes of a toxic: the given ones, else the current, else the defaults.

    Names are matched without case and unknown ones are left out, as Toxiproxy does. Raises ApiError (400).
    """
    lowered = {name.lower(): value for name, value in given.items()}
    merged: dict[str, Number] = {}
    for parameter in TOXICS[type_].PARAMETERS:
        value = lowered.get(parameter.name)
        if value is not None:
            merged[parameter.name] = _checked(parameter, value)
        elif current is not None:
            merged[parameter.name] = current[parameter.name]
        else:
            assert isinstance(parameter.default, int | float)
            merged[parameter.name] = parameter.default
    return merged


def _checked(parameter: Parameter, value: object) -> Number:
    whole = parameter.type is int
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        raise _refused(parameter, value)
    if (parameter.low is not None and value < parameter.low) or (parameter.high is not None and value > parameter.high):
        raise _refused(parameter, value)
    return value


def _refused(parameter: Parameter, value: object) -> ApiError:
    kind = "whole numbers" if parameter.type is int else "numbers"
    unit = f" {parameter.unit}" if parameter.unit else ""
    allowed = f"{kind} from {parameter.low} to {parameter.high}{unit}"
    return bad_request(f"bad request body: attribute {parameter.name} is {value!r}; allowed: {allowed}")
