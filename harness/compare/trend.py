"""The figures of many runs, one line each in a small file beside them: what is left when old run directories are gone."""

import fcntl
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import RunDirectoryError
from harness.model.judgement import Status, Verdict
from harness.model.measurement import Summary
from harness.rundir import RunDirectory, codec
from harness.rundir.files import storage_errors

TREND_NAME = "trend.jsonl"
_SCHEMA = "harness.trend/1"
_P95 = 950


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseFigures:
    """One phase of one run. p95_s with its interval; None above every answer, or without one."""

    phase: str
    judged: int
    bad: int
    p95_s: float | None
    low_s: float | None
    high_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFigures:
    """One run. plan_digest: runs with the same one were asked the same; others are not on one line with them."""

    run_id: str
    at: str
    scenario: str
    plan_digest: str
    target: str
    target_version: str | None
    verdict: Status
    phases: tuple[PhaseFigures, ...]
    recovered_s: tuple[float | None, ...]
    spend_usd: float
    schema: str = _SCHEMA


def figures_of(run: RunDirectory, verdict: Verdict) -> RunFigures:
    """Return the figures of a judged run. Raises RunDirectoryError where its measurements are missing."""
    summary = codec.read_json(run.measurements / "summary.json", Summary)
    phases = []
    for phase in summary.phases:
        p95 = next((each for each in phase.response if each.permille == _P95), None)
        value, low, high = (None, None, None) if p95 is None else (p95.value_s, p95.low_s, p95.high_s)
        phases.append(PhaseFigures(phase=phase.name, judged=phase.eligible, bad=phase.bad, p95_s=value, low_s=low, high_s=high))
    return RunFigures(
        run_id=verdict.run_id,
        at=verdict.started_at,
        scenario=verdict.scenario.name,
        plan_digest=verdict.plan_digest,
        target=run.read_plan().target.name,
        target_version=verdict.target.version,
        verdict=verdict.verdict,
        phases=tuple(phases),
        recovered_s=tuple(each.recovered_s for each in summary.recoveries),
        spend_usd=summary.spend_usd,
    )


def append_figures(path: Path, figures: RunFigures) -> None:
    """Add a line, whole, whoever else does so at once. Raises StorageError."""
    with storage_errors(path), path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(codec.to_json(figures) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read_trend(path: Path) -> tuple[list[RunFigures], list[str]]:
    """Return the runs of a file by their start, and what could not be read. Raises RunDirectoryError without a file."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise RunDirectoryError(f"{path}: {error.strerror}", advice="harness run writes it beside history.jsonl") from error
    found: dict[str, RunFigures] = {}
    problems = []
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            figures = codec.from_json(line, RunFigures, where=f"{path}:{number}")
        except RunDirectoryError as error:
            problems.append(error.message)
            continue
        if figures.schema != _SCHEMA:
            problems.append(f"{path}:{number}: it is {figures.schema!r}, which this harness does not read")
            continue
        found[figures.run_id] = figures
    return sorted(found.values(), key=lambda each: each.at), problems


def surely_above(new: PhaseFigures, before: Sequence[PhaseFigures]) -> bool:
    """Return whether a p95 lies above every earlier one for certain: its whole interval above all of theirs.

    One without an upper end (failures count as endlessly slow) is never surely below anything.
    """
    if not before or new.low_s is None:
        return False
    highs = [each.high_s for each in before]
    return all(high is not None and new.low_s > high for high in highs)
