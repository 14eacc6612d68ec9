"""What a plug-in declares: a fault, a check, an objective.

Each is written at the top level of a file, with its names, places and parameters spelled out, so that `harness validate`
and `harness plan` can read them without running the file. What is code (`backend`, `plan`, `judge`, `share`, `figure`) is
run by `harness run` alone.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.model.check import CheckSteps
from harness.model.fault import ActedBy, FaultKind, Layer, Parameter
from harness.model.objective import Kind
from harness.model.plan import Phase, PlannedCheck
from harness.model.target import Landscape

if TYPE_CHECKING:
    from harness.faults import Backend
    from harness.measure import Reading
    from harness.measure.columns import Mask
    from harness.model.judgement import Judgement

_KIND = re.compile(r"[a-z][a-z0-9_]{0,62}")
_NAME = re.compile(r"[a-z][a-z0-9]*([ -][a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultExtension:
    """A kind of fault. places: where it may act, globs over the target's places, or places of its own: `plugins.NAME`.

    backend: makes what breaks and heals, from the landscape of the running target (`harness.faults.Backend`).
    """

    kind: str
    title: str
    places: tuple[str, ...]
    backend: "Callable[[Landscape], Backend]"
    parameters: tuple[Parameter, ...] = ()

    def __post_init__(self) -> None:
        _must_match(self.kind, _KIND, "kind", "lower-case letters, digits and underscores")
        _must_say(self.title, "title")
        if not self.places or not all((isinstance(place, str) and "." in place) or place == "host" for place in self.places):
            raise ValueError("places is empty or has one that is none; write ('links.*',) or ('plugins.mine',)")
        _must_be_callable(backend=self.backend)
        _must_be_parameters(self.parameters)

    @property
    def name(self) -> str:
        """What scenarios call it."""
        return self.kind

    def specification(self, source: str) -> FaultKind:
        """Return what scenarios are checked against. source: where the plug-in is."""
        return FaultKind(
            kind=self.kind,
            title=self.title,
            layer=Layer.EXTENSION,
            places=self.places,
            acted_by=ActedBy.TARGET,
            parameters=self.parameters,
            backend=self.backend,
            source=source,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckExtension:
    """A check. plan: puts its steps on the timeline, pure; judge: from what the run left behind.

    It is a planner like those of `harness.checks`, so that a scenario names and sets it up like one of these.
    """

    name: str
    title: str
    plan: Callable[[PlannedCheck, Phase], CheckSteps]
    judge: "Callable[[Reading, PlannedCheck], Judgement]"
    settings: tuple[Parameter, ...] = ()

    def __post_init__(self) -> None:
        _must_match(self.name, _NAME, "name", "lower-case words")
        _must_say(self.title, "title")
        _must_be_callable(plan=self.plan, judge=self.judge)
        _must_be_parameters(self.settings)


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """Two masks over all requests of a run: the whole, and those of it that are hits."""

    whole: "Mask"
    hits: "Mask"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure of a run. value: None where nothing tells; of: how many events it rests on, 0 is no data.

    says: one sentence for people, with the figure in it.
    """

    value: float | None
    of: int
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveExtension:
    """An objective: `{measure: NAME, at_most: 5%}`. One of two: `share` of requests, judged by phase, or `figure` of the run.

    title: what is counted, after "share of requests that ..." or as the figure's name.
    """

    name: str
    title: str
    share: "Callable[[Reading], Counted] | None" = None
    figure: "Callable[[Reading], Figure] | None" = None

    def __post_init__(self) -> None:
        _must_match(self.name, _NAME, "name", "lower-case words")
        _must_say(self.title, "title")
        if (self.share is None) == (self.figure is None):
            raise ValueError(f"objective {self.name!r} needs `share` or `figure`, one of the two")
        _must_be_callable(measure=self.share or self.figure)

    @property
    def kind(self) -> Kind:
        """How it is decided."""
        return Kind.RATIO if self.share is not None else Kind.BUDGET


Extension = FaultExtension | CheckExtension | ObjectiveExtension


def _must_match(value: object, pattern: re.Pattern[str], name: str, allowed: str) -> None:
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        raise ValueError(f"{name} is {value!r}; use {allowed}")


def _must_say(value: object, name: str) -> None:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name} is {value!r}; say in one line what it is")


def _must_be_callable(**parts: object) -> None:
    for name, value in parts.items():
        if not callable(value):
            raise ValueError(f"{name} is {value!r:.60}, which cannot be called")


def _must_be_parameters(parts: object) -> None:
    if not isinstance(parts, tuple) or not all(isinstance(part, Parameter) for part in parts):
        raise ValueError("parameters and settings are tuples of Parameter(...); one of them alone needs a comma after it")
