"""Three runs and one question: what an entry of both tables is, and how it is held to the product's own judges.

An entry brings runs made by hand and has them judged. What it says itself is not listened to: the judge that the product has
under the entry's name is overheard, so that an entry which asks another one, none, or not the same thing three times is none.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from run_builder import RunBuilder

from harness.checks import CHECKS
from harness.judge import verdict
from harness.measure import Reading
from harness.model.judgement import Judgement, Recorded, Status
from harness.model.objective import Objective, Quantity
from harness.model.plan import Plan, PlannedCheck
from harness.rundir import RunDirectory

Run = Callable[[Path], object]
"""Makes a run directory below a place, and has it judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Three:
    """Runs of a healthy service, of a broken one, and one that has all but what this judge needs."""

    healthy: Run
    broken: Run
    nothing: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a judge was asked in which plan, and what it said, before validity, severity and waivers change it."""

    asked: object
    plan: Plan
    said: tuple[Judgement, ...]


def overhear(name: str, patch: pytest.MonkeyPatch) -> list[Heard]:
    """Return what the judge under this name will be asked and say, from now on: of a check, or of an objective's quantity."""
    heard: list[Heard] = []

    def note(asked: object, reading: Reading, said: list[Judgement]) -> None:
        heard.append(Heard(asked=asked, plan=reading.plan, said=tuple(said)))

    if name in CHECKS:
        planner, of_check = CHECKS[name]

        def check(reading: Reading, planned: PlannedCheck) -> Judgement:
            found = of_check(reading, planned)
            note(planned, reading, [found])
            return found

        patch.setitem(CHECKS, name, (planner, check))  # type: ignore[misc]
    elif name == Quantity.REGRESSION:
        of_regression = verdict.judge_regression

        def regression(run: RunDirectory, reading: Reading, results: list[Judgement]) -> list[Judgement]:
            found = of_regression(run, reading, results)
            if reading.plan.baseline is not None:
                note(reading.plan.objectives, reading, found)
            return found

        patch.setattr(verdict, "judge_regression", regression)
    else:
        of_objective = verdict._judge_objective

        def objective(reading: Reading, asked: Objective, recorded: Recorded) -> list[Judgement]:
            found = of_objective(reading, asked, recorded)
            if asked.quantity == name:
                note(asked, reading, found)
            return found

        patch.setattr(verdict, "_judge_objective", objective)
    return heard


def ask(name: str, three: Three, path: Path, patch: pytest.MonkeyPatch) -> None:
    """Have all runs of an entry judged, and those in which nothing happened at all. Raises AssertionError on a wrong answer."""
    heard = overhear(name, patch)
    for run in (three.healthy, three.broken, three.nothing):
        below = path / str(len(heard))
        below.mkdir(parents=True)
        before = len(heard)
        run(below)
        assert len(heard) == before + 1, f"{name}: a run asks its judge once, and this one {len(heard) - before} times"
    healthy, broken, nothing = heard
    assert healthy.asked == broken.asked == nothing.asked, f"{name}: all three runs must be asked the same"
    _says(name, "a healthy run", healthy, {Status.PASS})
    _says(name, "a broken run", broken, {Status.FAIL}, beside={Status.PASS, Status.INCONCLUSIVE})
    _says(name, "a run without its data", nothing, {Status.INCONCLUSIVE})
    for without_truth in (False, True):
        empty = RunBuilder(samples=[], calls=[], steps={}, without_truth=without_truth, manifest=False)
        run_directory = empty.build(path / f"empty-{without_truth}")
        run_directory.write_plan(healthy.plan)
        run_directory.write_manifest()
        verdict.judge(run_directory)
        _says(name, "a run in which nothing happened", heard[-1], {Status.INCONCLUSIVE})
    assert len(heard) == 5, f"{name}: its judge was not asked in the runs in which nothing happened"


def _says(name: str, of: str, heard: Heard, must: set[Status], *, beside: frozenset[Status] | set[Status] = frozenset()) -> None:
    said = {each.status for each in heard.said}
    told = "; ".join(f"{each.status.name}: {each.reason}" for each in heard.said) or "nothing"
    assert must <= said <= must | beside, f"{name}: {of} must be {', '.join(s.name for s in must)}, and its judge said {told}"


def lacking(names: set[str], table: Mapping[str, Three]) -> str:
    """Return in one sentence which names have no entry, and which entries no name; empty where each has its own."""
    without, stale = sorted(names - table.keys()), sorted(table.keys() - names)
    told = [f"no entry, so never seen to pass, to fail and to know nothing: {', '.join(without)}"] if without else []
    told += [f"an entry for what does not exist: {', '.join(stale)}"] if stale else []
    return "; ".join(told)
