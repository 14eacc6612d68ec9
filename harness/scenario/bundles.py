"""Bundles: named lists of scenarios, each with what is shortened in it. `scenarios/bundles/NAME.yaml`.

one_stack: true                  # one embedded stack for all: only the service starts anew for each; false if left out
scenarios:
  - {scenario: limits}
  - {scenario: valkey-down, set: [phases.steady.for=8s]}
  - {scenario: gate-everyday, parts: [limits, steady-load]}      # what runs in its place on a target that lacks something
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.documents.located import read_located
from harness.errors import ConfigurationError, did_you_mean
from harness.scenario.catalogue import catalogue_paths, find_scenario
from harness.scenario.read import ScenarioFile, read_scenario


class BundledScenario(BaseModel):
    """`{scenario: provider-outage, set: [phases.outage.for=10s]}`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scenario: str
    set_: Annotated[list[str], Field(alias="set")] = []
    parts: list[str] = []
    reference_only: bool = False


class BundleDocument(BaseModel):
    """A bundle as it is written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    one_stack: bool = False
    scenarios: Annotated[list[BundledScenario], Field(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundled:
    """A scenario of a bundle. parts: the scenarios that run in its place where the target lacks something that it asks for.

    reference_only: it asks for metrics, logs and programs by the names that the reference service has for them.
    """

    file: ScenarioFile
    parts: tuple[ScenarioFile, ...] = ()
    reference_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle that can be run. one_stack: its scenarios share an embedded stack, one after the other."""

    name: str
    one_stack: bool
    rows: tuple[Bundled, ...]

    @property
    def files(self) -> list[ScenarioFile]:
        """Return its scenarios, in order."""
        return [row.file for row in self.rows]


def bundle_names() -> tuple[str, ...]:
    """Return the bundles that come with the harness."""
    return tuple(sorted(_paths()))


def read_bundle(name: str) -> Bundle:
    """Return a bundle, its scenarios shortened as it says. Raises ConfigurationError."""
    paths = _paths()
    if name not in paths:
        known = ", ".join(sorted(paths))
        raise ConfigurationError(f"--bundle {name!r} is not known; there is {known}{did_you_mean(name, paths)}")
    located, _ = read_located(paths[name])
    try:
        document = BundleDocument.model_validate(located.data)
    except ValidationError as error:
        problems = (f"{paths[name]}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False))
        raise ConfigurationError(*problems) from error
    rows = tuple(
        Bundled(
            file=read_scenario(find_scenario(row.scenario), row.set_),
            parts=tuple(read_scenario(find_scenario(part)) for part in row.parts),
            reference_only=row.reference_only,
        )
        for row in document.scenarios
    )
    return Bundle(name=name, one_stack=document.one_stack, rows=rows)


def _paths() -> dict[str, Path]:
    scenarios = catalogue_paths()
    folder = next(iter(scenarios.values())).parent / "bundles" if scenarios else None
    return {path.stem: path for path in folder.glob("*.yaml")} if folder is not None and folder.is_dir() else {}
