"""Run the trials of the gate: each scenario against the healthy service, then against each defect that it must catch.

All on one stack, of which only the service starts anew from trial to trial.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from harness.cli.gate_table import GATE_NAME, Finding, Matrix, Trial
from harness.errors import ConfigurationError
from harness.model.judgement import Status, Verdict
from harness.run.conduct import View
from harness.run.interruption import Interruption
from harness.run.session import RunRequest, RunResult, plan_scenario, run_scenario
from harness.rundir import codec
from harness.rundir.files import write_whole
from harness.scenario import find_scenario, read_scenario
from harness.scenario.catchers import Catcher
from harness.target.embedded.standing import StandingStack


class _NoView:
    """Nothing to look at: a trial is one line."""

    def refresh(self) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Give nothing back."""


def run_trials(
    catchers: Sequence[Catcher],
    parent: Path,
    *,
    seed: int,
    control: bool,
    interruption: Interruption,
    say: Callable[[str], None],
    uncaught: Sequence[str] = (),
) -> Matrix:
    """Run every trial, write `gate.json` after each, and return the matrix.

    parent: an absent or empty directory, one run directory in it for each trial. uncaught: what nothing looks for.
    A trial that could not be judged has one more try. Raises ConfigurationError before anything starts, HarnessError
    where a run is interrupted or a stack does not start.
    """
    if parent.exists() and any(parent.iterdir()):
        raise ConfigurationError(f"{parent}: not an empty directory; --out takes an absent or empty one")
    todo: list[tuple[Catcher, str | None]] = []
    for catcher in catchers:
        if control and not any(other.control == catcher.control and defect is None for other, defect in todo):
            todo.append((catcher, None))
        todo.append((catcher, catcher.defect))
    stack = StandingStack(seed=seed)
    requests = [
        _request(catcher, defect, parent / f"{number:02d}-{defect or f'healthy-{catcher.scenario}'}", seed, stack)
        for number, (catcher, defect) in enumerate(todo, start=1)
    ]
    for request in requests:
        plan_scenario(request)
    trials: list[Trial] = []
    try:
        for (catcher, defect), request in zip(todo, requests, strict=True):
            trial = _try(catcher, defect, request, interruption)
            if trial.finding is Finding.UNJUDGED:
                say(f"{trial.finding.value:<12} {defect or '(healthy)'} by {catcher.scenario}: {trial.reason}; once more")
                trial = _try(catcher, defect, _again(request), interruption)
            trials.append(trial)
            say(f"{trial.finding.value:<12} {defect or '(healthy)'} by {catcher.scenario} ({trial.took_s:.0f} s)")
            matrix = Matrix(trials=tuple(trials), uncaught=tuple(uncaught))
            write_whole(parent / GATE_NAME, codec.to_pretty_json(matrix))
    finally:
        with interruption.shielded():
            stack.close()
    return Matrix(trials=tuple(trials), uncaught=tuple(uncaught))


def _try(catcher: Catcher, defect: str | None, request: RunRequest, interruption: Interruption) -> Trial:
    began = time.monotonic()
    result = run_scenario(request, interruption=interruption, view=_view)
    if result.trouble is not None and defect is None:
        raise result.trouble
    interruption.raise_if_signalled()
    return _trial(catcher, defect, result, time.monotonic() - began, request)


def _again(request: RunRequest) -> RunRequest:
    assert request.out is not None
    return replace(request, out=request.out.with_name(f"{request.out.name}-again"))


def _request(catcher: Catcher, defect: str | None, out: Path, seed: int, stack: StandingStack) -> RunRequest:
    settings = {f"SERVICE_{name.upper()}": value for name, value in catcher.settings}
    if defect is not None:
        settings |= {"SERVICE_DEFECT": defect, "SERVICE_UNDER_TEST": "yes"}
    return RunRequest(
        scenario=read_scenario(find_scenario(catcher.scenario), catcher.overrides),
        target=stack.target(settings),
        seed=seed,
        out=out,
        labels={} if defect is None else {"defect": defect},
    )


def _view(_run: object, _plan: object) -> View:
    return _NoView()


def _trial(catcher: Catcher, defect: str | None, result: RunResult, took_s: float, request: RunRequest) -> Trial:
    finding, by = Finding.UNJUDGED, tuple[str, ...]()
    reason = "" if result.trouble is None else result.trouble.message.splitlines()[0]
    if result.verdict is not None and result.trouble is None:
        finding, by = finding_of(result.verdict, None if defect is None else catcher.results)
        reason = result.verdict.reason
    assert request.out is not None
    return Trial(
        defect=defect,
        scenario=catcher.scenario,
        finding=finding,
        by=by,
        reason=reason,
        took_s=round(took_s, 1),
        directory=request.out.name,
    )


def finding_of(verdict: Verdict, must_fail: Sequence[str] | None) -> tuple[Finding, tuple[str, ...]]:
    """Return what a trial came to and which results failed. must_fail: None for the healthy service.

    An invalid run catches nothing and clears nobody. A defect is caught only by a result that was named beforehand: a
    run that fails for another reason, or cannot tell, has missed it.
    """
    failed = tuple(dict.fromkeys(row.id for row in verdict.results if row.status is Status.FAIL))
    if must_fail is None:
        if verdict.verdict in (Status.PASS, Status.WARN):
            return Finding.CLEAN, failed
        return (Finding.FALSE_ALARM if verdict.verdict is Status.FAIL else Finding.UNJUDGED), failed
    if set(failed) & set(must_fail):
        return Finding.CAUGHT, failed
    return (Finding.UNJUDGED if verdict.verdict is Status.INVALID else Finding.MISSED), failed
