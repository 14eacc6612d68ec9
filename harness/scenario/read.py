"""Read and validate a scenario file; every problem is reported with its place, not only the first."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath

from pydantic import ValidationError

from harness.documents.located import Located, Path, locate, read_located
from harness.documents.problems import describe
from harness.errors import ConfigurationError, did_you_mean
from harness.scenario.document import ScenarioDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioFile:
    """A scenario that fits its schema. digest: sha256 of the file's bytes. overrides: `--set` texts applied."""

    path: FilePath
    digest: str
    document: ScenarioDocument
    located: Located
    overrides: tuple[str, ...] = ()


def read_scenario(path: FilePath, overrides: Sequence[str] = ()) -> ScenarioFile:
    """Return the scenario in a file, with `phases.outage.for=10s` overrides applied. Raises ConfigurationError."""
    located, data = read_located(path)
    for override in overrides:
        _apply(located, override)
    try:
        document = ScenarioDocument.model_validate(located.data)
    except ValidationError as error:
        raise ConfigurationError(*describe(error, located, ScenarioDocument)) from error
    return ScenarioFile(
        path=path,
        digest=hashlib.sha256(data).hexdigest(),
        document=document,
        located=located,
        overrides=tuple(overrides),
    )


def _apply(located: Located, override: str) -> None:
    """Set one value in the plain data. List items are named by their `name`, or by their number from 0."""
    place, equals, text = override.partition("=")
    if not equals or not place:
        raise ConfigurationError(f"--set {override}: write PLACE=VALUE, e.g. phases.outage.for=10s")
    parts = place.split(".")
    here: object = located.data
    path: Path = ()
    for part in parts[:-1]:
        key = _key(here, part, override)
        here = here[key]  # type: ignore[index]  # _key has seen that it is there
        path = (*path, key)
    value = locate(text.encode(), "--set").data
    if isinstance(here, dict):
        here[parts[-1]] = value
    elif isinstance(here, list):
        here[int(_key(here, parts[-1], override))] = value
    else:
        raise ConfigurationError(f"--set {override}: {'.'.join(parts[:-1])} holds no further keys")


def _key(here: object, part: str, override: str) -> str | int:
    if isinstance(here, dict):
        if part in here:
            return part
        allowed = list(here)
    elif isinstance(here, list):
        names = {item.get("name"): index for index, item in enumerate(here) if isinstance(item, dict)}
        if part in names:
            return names[part]
        if part.isdigit() and int(part) < len(here):
            return int(part)
        allowed = [str(name) for name in names if name]
    else:
        allowed = []
    there_is = f"there is {', '.join(allowed) or 'nothing below'}{did_you_mean(part, allowed)}"
    raise ConfigurationError(f"--set {override}: there is no {part!r} here; {there_is}")
