"""Run directories as a release sees them: judged again from what was measured, and whether they may prove anything."""

import datetime
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from harness.errors import ConfigurationError, RunDirectoryError
from harness.model.judgement import Verdict
from harness.model.plan import Plan
from harness.model.readiness import Problem, ReleaseRun, Supersession
from harness.model.repeat import how_to_repeat
from harness.rundir import RunDirectory
from harness.rundir.files import sha256_of

Judge = Callable[[RunDirectory], Verdict]

_SCHEMAS = {"plan.json": "harness.plan/1", "manifest.json": "harness.manifest/1", "verdict.json": "harness.verdict/1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRules:
    """What decides whether a run may prove a row.

    today: of the decision, UTC. max_age_days: older runs prove nothing; None for any age.
    catalogue: sha256 of each scenario that comes with the harness, by name.
    """

    now: datetime.datetime
    max_age_days: float | None
    superseded: Sequence[Supersession]
    catalogue: dict[str, str]


def find_runs(paths: Iterable[Path]) -> tuple[list[Path], list[Problem]]:
    """Return every run directory in `paths`, each once, and what is missing of runs with several scenarios.

    paths: run directories, those of several runs (`harness run A B`, a bundle), and directories that hold either, as
    `reports` does. Raises ConfigurationError for a path that is none of them.
    """
    found: list[Path] = []
    problems: list[Problem] = []
    for path in chain.from_iterable(map(_told_apart, paths)):
        if (path / "plan.json").is_file():
            found.append(path)
        else:
            for name in _names_in(path / "run.json"):
                if (path / name / "plan.json").is_file():
                    found.append(path / name)
                else:
                    problems.append(Problem(text=f"{path.name}/run.json names the run {name}, and it is not there", blocks=True))
    once = {path.resolve(): path for path in reversed(found)}
    return sorted(once.values(), key=found.index), problems


def is_run(path: Path) -> bool:
    """Return whether a directory is that of a run, or of several that were asked for together."""
    return any((path / name).is_file() for name in ("plan.json", "run.json"))


def _told_apart(path: Path) -> list[Path]:
    """Return the path if it is a run's, else those of the runs in it. Raises ConfigurationError where there is none."""
    if is_run(path):
        return [path]
    within = [place for place in sorted(path.glob("*")) if is_run(place) and not place.is_symlink()]  # `latest` is one
    if not within:
        raise ConfigurationError(
            f"{path}: not a run directory: it has no plan.json, and no run is in it", advice="harness run writes one"
        )
    return within


def read_runs(paths: Sequence[Path], judge: Judge, rules: RunRules) -> tuple[list[tuple[Path, ReleaseRun]], list[Problem]]:
    """Return each run that can be read, with its place, and one problem for each that cannot or should not be believed."""
    runs: list[tuple[Path, ReleaseRun]] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            run, wrong = _read(RunDirectory(path), judge, rules)
        except RunDirectoryError as error:
            told = error.message.removeprefix(f"{path}: ").replace(f"{path}/", "")
            problems.append(Problem(text=f"run {path.name} cannot be read and proves nothing: {told}", blocks=True))
            continue
        if any(run.run_id == other.run_id for _, other in runs):
            problems.append(Problem(text=f"run {run.run_id} was given twice, in two directories; the first counts", blocks=True))
            continue
        runs.append((path, run))
        problems += [Problem(text=f"run {run.run_id}: {text}", blocks=True) for text in wrong]
    return runs, problems


def _read(run: RunDirectory, judge: Judge, rules: RunRules) -> tuple[ReleaseRun, list[str]]:
    for name, schema in _SCHEMAS.items():
        _must_be(run.path / name, schema)
    plan = run.read_plan()
    wrong: list[str] = []
    verdict = judge(run)  # before the digests are looked at: it is what closes a killed run
    changed = run.tampered()
    if changed:
        wrong.append(f"not what was measured: {', '.join(changed[:3])} {'is' if len(changed) == 1 else 'are'} missing or changed")
    wrong += _told_otherwise(run, verdict)
    superseded = next((each for each in rules.superseded if each.run == plan.run_id), None)
    limits = _limits(plan, verdict, rules)
    if superseded is not None:
        limits.append(f"superseded by {superseded.owner} on {superseded.date}: {superseded.reason}")
    manifest = run.path / "manifest.json"
    known = rules.catalogue.get(plan.scenario.name)
    return (
        ReleaseRun(
            run_id=plan.run_id,
            directory=run.path.name,
            scenario=plan.scenario.name,
            scenario_digest=plan.scenario.digest,
            title=plan.scenario.title,
            target=plan.target.name,
            target_kind=plan.target.kind,
            target_version=plan.target.version,
            started_at=verdict.started_at,
            duration_s=verdict.duration_s,
            verdict=verdict.verdict,
            reason=verdict.reason,
            seed=plan.seed,
            spend_usd=verdict.spend_usd,
            harness_version=plan.harness_version,
            plan_digest=verdict.plan_digest,
            manifest_digest=sha256_of(manifest) if manifest.is_file() else None,
            repeat=how_to_repeat(plan),
            instrument=verdict.instrument,
            proves=not limits and not wrong,
            fails=superseded is None and not plan.overrides,
            overridden=bool(plan.overrides),
            why_not=(*limits, *wrong),
            catalogue=None if known is None else known == plan.scenario.digest,
            results=verdict.results,
        ),
        wrong,
    )


def _limits(plan: Plan, verdict: Verdict, rules: RunRules) -> list[str]:
    """Return why an honest run proves nothing."""
    limits = []
    if plan.overrides:
        limits.append(f"--set changed the scenario ({', '.join(plan.overrides)}); such a run neither proves nor disproves a row")
    if not plan.rehearsed:
        limits.append("its faults were not rehearsed (--no-rehearsal, or a harness that did not record it); its failures count")
    if rules.max_age_days is not None:
        age_days = (rules.now - datetime.datetime.fromisoformat(verdict.started_at)).total_seconds() / 86400
        if age_days > rules.max_age_days:
            limits.append(f"it is {age_days:.1f} days old, more than the {rules.max_age_days:g} that count; its failures count")
    return limits


def _told_otherwise(run: RunDirectory, verdict: Verdict) -> list[str]:
    """Return what `verdict.json` says that judging the measurements again does not."""
    path = run.path / "verdict.json"
    if not path.is_file():
        return []  # never judged: it is now
    recorded = run.verdict()
    if recorded.verdict is not verdict.verdict:
        return [f"verdict.json says {recorded.verdict.value}, but what was measured says {verdict.verdict.value}"]
    told = {(result.id, result.phase): result.status for result in recorded.results}
    measured = {(result.id, result.phase): result.status for result in verdict.results}
    differing = [f"{id_}{f' in {phase}' if phase else ''}" for (id_, phase), status in measured.items()
                 if told.get((id_, phase)) is not status]  # fmt: skip
    if differing or told.keys() != measured.keys():
        return [f"verdict.json does not say what was measured of {', '.join(differing[:3]) or 'every result'}"]
    return []


def _must_be(path: Path, schema: str) -> None:
    if not path.is_file():
        return
    try:
        told = json.loads(path.read_bytes()).get("schema")
    except (ValueError, AttributeError) as error:
        raise RunDirectoryError(f"{path}: not a JSON document") from error
    if told != schema:
        raise RunDirectoryError(f"{path}: it is {told!r} and this harness reads {schema!r}: use the harness that wrote it")


def _names_in(path: Path) -> list[str]:
    try:
        names = [row["directory"] for row in json.loads(path.read_bytes())["runs"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path}: not the index of a run") from error
    if not all(isinstance(name, str) and Path(name).name == name for name in names):
        raise ConfigurationError(f"{path}: names a directory outside of its own")
    return names
