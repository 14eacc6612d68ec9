"""The extensions that a scenario uses: of the files that it names, and of packages that are installed."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.checks import PLANNERS
from harness.documents.findings import Findings
from harness.documents.located import read_small
from harness.errors import ConfigurationError
from harness.extensions.declared import read_declared
from harness.extensions.imported import import_plugin
from harness.extensions.installed import installed, load_installed, source_of
from harness.extensions.kinds import CheckExtension, Extension, FaultExtension, ObjectiveExtension
from harness.model.check import CheckPlanner
from harness.model.fault_kinds import FAULT_KINDS, adopt
from harness.model.objective import Kind, Quantity
from harness.model.plan import PluginReference
from harness.scenario.document import ScenarioDocument
from harness.scenario.read import ScenarioFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Extensions:
    """What plug-ins bring to one scenario. sources: of each by its name, where it comes from."""

    faults: Mapping[str, FaultExtension] = field(default_factory=dict)
    checks: Mapping[str, CheckExtension] = field(default_factory=dict)
    objectives: Mapping[str, ObjectiveExtension] = field(default_factory=dict)
    references: tuple[PluginReference, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def planners(self) -> dict[str, CheckPlanner]:
        """The planning halves of their checks."""
        return dict(self.checks)

    @property
    def measures(self) -> dict[str, Kind]:
        """What objectives may name beside the harness's own quantities."""
        return {name: each.kind for name, each in self.objectives.items()}


NONE = Extensions()


def find_extensions(scenario: ScenarioFile, *, imports: bool) -> Extensions:
    """Return the extensions of a scenario, its kinds of faults made known to this process. Raises ConfigurationError.

    imports: run the files that the scenario names; else they are read only, and nothing of them can be applied or judged.
    An installed package was chosen by who installed it: what the scenario uses of it is loaded either way.
    """
    document = scenario.document
    findings = Findings(scenario.located)
    collected: list[tuple[str, Extension]] = []
    references: list[PluginReference] = []
    for index, written in enumerate(document.plugins):
        try:
            found, reference = plugin_of_file(scenario.path.parent, written, imports=imports)
        except ConfigurationError as error:
            findings.add(("plugins", index), str(error))
            continue
        collected += [(written, extension) for extension in found]
        references.append(reference)
    findings.raise_if_any()
    by_package: dict[str, list[str]] = {}
    for source, extension in _of_packages(document, {extension.name for _, extension in collected}):
        collected.append((source, extension))
        by_package.setdefault(source, []).append(extension.name)
    if not collected and not references:
        return NONE
    references += [PluginReference(path=source, digest=None, brings=tuple(names)) for source, names in by_package.items()]
    _refuse_twice(collected)
    faults = {each.kind: (source, each) for source, each in collected if isinstance(each, FaultExtension)}
    adopt(each.specification(_full(scenario, source)) for source, each in faults.values())
    return Extensions(
        faults={kind: each for kind, (_, each) in faults.items()},
        checks={each.name: each for _, each in collected if isinstance(each, CheckExtension)},
        objectives={each.name: each for _, each in collected if isinstance(each, ObjectiveExtension)},
        references=tuple(references),
        sources={each.name: source for source, each in collected},
    )


def plugin_of_file(beside: Path, written: str, *, imports: bool) -> tuple[list[Extension], PluginReference]:
    """Return what a plug-in file declares, and what stands for it in a plan. Raises ConfigurationError."""
    path = beside / written
    if path.suffix != ".py":
        raise ConfigurationError(f"{written!r} is no plug-in; name a Python file beside the scenario, as ./ours.py")
    data = read_small(path)
    digest = hashlib.sha256(data).hexdigest()
    found = import_plugin(data, str(path), str(path.resolve()), digest) if imports else read_declared(data, str(path))
    if not found:
        raise ConfigurationError(
            f"{path}: it declares no fault, check or objective",
            advice="harness new fault NAME writes a first one; each stands at the top level as NAME = FaultExtension(...)",
        )
    return found, PluginReference(path=written, digest=digest, brings=tuple(sorted(each.name for each in found)))


def _of_packages(document: ScenarioDocument, known: set[str]) -> Iterable[tuple[str, Extension]]:
    """Yield what installed packages bring of the names that the scenario uses and nobody else knows."""
    kinds = {fault.kind for phase in document.phases for fault in phase.faults}
    kinds |= {fault.kind for phase in document.phases if phase.nemesis is not None for fault in phase.nemesis.draw}
    ours = {name for name, kind in FAULT_KINDS.items() if kind.source is None}
    wanted = {
        "harness.faults": kinds - ours,
        "harness.checks": {part.check for part in document.checks} - set(PLANNERS),
        "harness.objectives": {part.measure for part in document.objectives if part.measure is not None} - set(Quantity),
    }
    for group, names in wanted.items():
        if unknown := names - known:
            points = installed(group)
            for name in sorted(unknown & set(points)):
                yield source_of(points[name]), load_installed(group, points[name])


def _refuse_twice(collected: Iterable[tuple[str, Extension]]) -> None:
    """Refuse a name that stands twice, or that the harness itself has: which of the two is meant could not be told."""
    seen: dict[tuple[str, str], str] = {}
    taken = {(CheckExtension.__name__, name) for name in PLANNERS}
    taken |= {(ObjectiveExtension.__name__, str(quantity)) for quantity in Quantity}
    for source, extension in collected:
        key = (type(extension).__name__, extension.name)
        whose = "the harness" if key in taken else seen.get(key)
        if whose is not None:
            raise ConfigurationError(
                f"{source}: {key[0]} {extension.name!r} is there already, of {whose}", advice="give yours another name"
            )
        seen[key] = source


def _full(scenario: ScenarioFile, source: str) -> str:
    """Return a source so that the files of two scenarios that are called alike are not taken for one."""
    return str((scenario.path.parent / source).resolve()) if source.endswith(".py") else source
