"""Bundles: named lists of scenarios, each with what is shortened in it. `scenarios/bundles/NAME.yaml`."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from harness.documents.located import read_located
from harness.errors import ConfigurationError, did_you_mean
from harness.scenario.catalogue import catalogue_paths, find_scenario
from harness.scenario.read import ScenarioFile, read_scenario


class BundledScenario(BaseModel):
    """`{scenario: provider-outage, set: [phases.outage.for=10s]}`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scenario: str
    set_: Annotated[list[str], Field(alias="set")] = []


_ROWS = TypeAdapter(Annotated[list[BundledScenario], Field(min_length=1)])


def bundle_names() -> tuple[str, ...]:
    """Return the bundles that come with the harness."""
    return tuple(sorted(_paths()))


def read_bundle(name: str) -> list[ScenarioFile]:
    """Return the scenarios of a bundle, shortened as it says. Raises ConfigurationError."""
    paths = _paths()
    if name not in paths:
        known = ", ".join(sorted(paths))
        raise ConfigurationError(f"--bundle {name!r} is not known; there is {known}{did_you_mean(name, paths)}")
    located, _ = read_located(paths[name])
    try:
        rows = _ROWS.validate_python(located.data)
    except ValidationError as error:
        problems = (f"{paths[name]}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False))
        raise ConfigurationError(*problems) from error
    return [read_scenario(find_scenario(row.scenario), row.set_) for row in rows]


def _paths() -> dict[str, Path]:
    scenarios = catalogue_paths()
    folder = next(iter(scenarios.values())).parent / "bundles" if scenarios else None
    return {path.stem: path for path in folder.glob("*.yaml")} if folder is not None and folder.is_dir() else {}
