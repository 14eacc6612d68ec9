"""Run the trials of the gate: each scenario against the healthy service, then against each defect that it must catch."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.cli.gate_table import Finding, Matrix, Trial
from harness.cli.options import make_target
from harness.errors import ConfigurationError
from harness.model.judgement import Status, Verdict
from harness.run.conduct import View
from harness.run.interruption import Interruption
from harness.run.session import RunRequest, RunResult, plan_scenario, run_scenario
from harness.rundir import codec
from harness.rundir.files import write_whole
from harness.scenario import find_scenario, read_scenario
from harness.scenario.catchers import Catcher


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
) -> Matrix:
    """Run every trial, write `gate.json` after each, and return the matrix.

    parent: an absent or empty directory, one run directory in it for each trial. Raises ConfigurationError before
    anything starts, HarnessError where a run is interrupted or a stack does not start.
    """
    if parent.exists() and any(parent.iterdir()):
        raise ConfigurationError(f"{parent}: not an empty directory; --out takes an absent or empty one")
    todo: list[tuple[Catcher, str | None]] = []
    for catcher in catchers:
        if control and not any(other.control == catcher.control and defect is None for other, defect in todo):
            todo.append((catcher, None))
        todo.append((catcher, catcher.defect))
    requests = [
        _request(catcher, defect, parent / f"{number:02d}-{defect or f'healthy-{catcher.scenario}'}", seed)
        for number, (catcher, defect) in enumerate(todo, start=1)
    ]
    for request in requests:
        plan_scenario(request)
    trials: list[Trial] = []
    for (catcher, defect), request in zip(todo, requests, strict=True):
        began = time.monotonic()
        result = run_scenario(request, interruption=interruption, view=_view)
        if result.trouble is not None and defect is None:
            raise result.trouble
        interruption.raise_if_signalled()
        trial = _trial(catcher, defect, result, time.monotonic() - began, request)
        trials.append(trial)
        say(f"{trial.finding.value:<12} {defect or '(healthy)'} by {catcher.scenario} ({trial.took_s:.0f} s)")
        write_whole(parent / "gate.json", codec.to_pretty_json(Matrix(trials=tuple(trials))))
    return Matrix(trials=tuple(trials))


def _request(catcher: Catcher, defect: str | None, out: Path, seed: int) -> RunRequest:
    service = () if defect is None else (f"defect={defect}", "under_test=yes")
    return RunRequest(
        scenario=read_scenario(find_scenario(catcher.scenario), catcher.overrides),
        target=make_target("embedded", seed, service),
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
