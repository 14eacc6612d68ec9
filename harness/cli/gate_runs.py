"""Run the trials of the gate: each scenario against the healthy service, then against each defect that it must catch.

All on one stack, of which only the service starts anew from trial to trial.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from harness.cli.gate_rounds import Round
from harness.cli.gate_table import GATE_NAME, Finding, Matrix, Trial
from harness.errors import ConfigurationError
from harness.model.judgement import Status, Verdict
from harness.run.conduct import View
from harness.run.interruption import Interruption
from harness.run.one_stack import end_if_broken
from harness.run.session import RunRequest, RunResult, plan_scenario, run_scenario
from harness.rundir import codec
from harness.rundir.files import write_whole
from harness.scenario import find_scenario, read_scenario
from harness.scenario.catchers import Catcher
from harness.target.embedded.lasting import STACK_LOGS
from harness.target.embedded.standing import StandingStack


class _NoView:
    """Nothing to look at: a trial is one line."""

    def refresh(self) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Give nothing back."""


def run_trials(
    rounds: Sequence[Round],
    parent: Path,
    *,
    seed: int,
    interruption: Interruption,
    say: Callable[[str], None],
    empty: Matrix,
) -> Matrix:
    """Run every round, write `gate.json` after each, and return the matrix.

    parent: an absent or empty directory, one run directory in it for each round. empty: the matrix without a trial.
    A round in which something could not be judged has one more try. Raises ConfigurationError before anything starts,
    HarnessError where a run is interrupted or a stack does not start.
    """
    if parent.exists() and any(parent.iterdir()):
        raise ConfigurationError(f"{parent}: not an empty directory; --out takes an absent or empty one")
    stack = StandingStack(logs=parent / STACK_LOGS, seed=seed)
    requests = [_request(each, parent / f"{number:02d}-{each.name}", seed, stack) for number, each in enumerate(rounds, start=1)]
    for request in requests:
        plan_scenario(request)
    trials: list[Trial] = []
    try:
        for each, request in zip(rounds, requests, strict=True):
            found = _try(each, request, interruption, stack)
            if any(trial.finding is Finding.UNJUDGED for trial in found):
                say(f"{Finding.UNJUDGED.value:<12} {_planted(each)} by {each.first.scenario}: {found[0].reason}; once more")
                found = _try(each, _again(request), interruption, stack)
            trials += found
            for trial in found:
                say(f"{trial.finding.value:<12} {trial.defect or '(healthy)'} by {trial.scenario} ({trial.took_s:.0f} s)")
            write_whole(parent / GATE_NAME, codec.to_pretty_json(replace(empty, trials=tuple(trials))))
    finally:
        with interruption.shielded():
            stack.close()
    return replace(empty, trials=tuple(trials))


def _planted(each: Round) -> str:
    return "+".join(each.defects) or "(healthy)"


def _try(each: Round, request: RunRequest, interruption: Interruption, stack: StandingStack) -> list[Trial]:
    began = time.monotonic()
    result = run_scenario(request, interruption=interruption, view=_view)
    end_if_broken(stack, result.run, interruption)
    if result.trouble is not None and not each.planted:
        raise result.trouble
    interruption.raise_if_signalled()
    took_s = time.monotonic() - began
    return [_trial(each, catcher, result, took_s, request) for catcher in each.planted or (None,)]


def _again(request: RunRequest) -> RunRequest:
    assert request.out is not None
    return replace(request, out=request.out.with_name(f"{request.out.name}-again"))


def _request(each: Round, out: Path, seed: int, stack: StandingStack) -> RunRequest:
    settings = {f"SERVICE_{name.upper()}": value for name, value in each.first.settings}
    if each.planted:
        settings |= {"SERVICE_DEFECT": _planted(each), "SERVICE_UNDER_TEST": "yes"}
    return RunRequest(
        scenario=read_scenario(find_scenario(each.first.scenario), each.first.overrides),
        target=stack.target(settings),
        seed=seed,
        out=out,
        labels={"defect": _planted(each)} if each.planted else {},
    )


def _view(_run: object, _plan: object) -> View:
    return _NoView()


def _trial(each: Round, catcher: Catcher | None, result: RunResult, took_s: float, request: RunRequest) -> Trial:
    finding, by = Finding.UNJUDGED, tuple[str, ...]()
    reason = "" if result.trouble is None else result.trouble.message.splitlines()[0]
    if result.verdict is not None and result.trouble is None:
        finding, by = finding_of(result.verdict, None if catcher is None else catcher.results)
        reason = result.verdict.reason
    if catcher is not None and len(each.planted) > 1:
        by = tuple(name for name in by if name in catcher.results)  # the others are its neighbours' to explain
    assert request.out is not None
    return Trial(
        defect=None if catcher is None else catcher.defect,
        scenario=each.first.scenario,
        finding=finding,
        by=by,
        reason=reason,
        took_s=round(took_s, 1),
        directory=request.out.name,
        beside=tuple(name for name in each.defects if catcher is not None and name != catcher.defect),
    )


def finding_of(verdict: Verdict, must_fail: Sequence[str] | None) -> tuple[Finding, tuple[str, ...]]:
    """Return what a trial came to and which results failed. must_fail: None for the healthy service.

    An invalid run catches nothing and clears nobody; nor does one that failed by what no instrument can be blamed for, and
    in which the named result was not judged. A defect is caught only by a result that was named beforehand: a
    run that fails for another reason, or cannot tell, has missed it.
    """
    failed = tuple(dict.fromkeys(row.id for row in verdict.results if row.status is Status.FAIL))
    if must_fail is None:
        if verdict.verdict in (Status.PASS, Status.WARN):
            return Finding.CLEAN, failed
        return (Finding.FALSE_ALARM if verdict.verdict is Status.FAIL else Finding.UNJUDGED), failed
    if set(failed) & set(must_fail):
        return Finding.CAUGHT, failed
    unjudged = {row.id for row in verdict.results if row.status is Status.INVALID} & set(must_fail)
    return (Finding.UNJUDGED if unjudged or verdict.verdict is Status.INVALID else Finding.MISSED), failed
