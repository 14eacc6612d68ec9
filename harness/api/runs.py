"""Scenarios, planned, run and judged from a program."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from harness.model.judgement import Verdict
from harness.model.plan import Plan
from harness.model.target import Target
from harness.run.interruption import Interruption
from harness.run.places import history_path
from harness.run.session import RunRequest, RunResult, judge_and_report, plan_scenario, run_scenario
from harness.run.targets import find_target
from harness.rundir import RunDirectory
from harness.scenario import find_scenario, read_scenario


class _Unwatched:
    """The view of a run that nobody watches."""

    def refresh(self) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Give nothing back."""


def plan(
    scenario: str | Path,
    *,
    target: str | Path | Target = "embedded",
    seed: int = 1,
    overrides: Sequence[str] = (),
    service: Sequence[str] = (),
    allow: Sequence[str] = (),
) -> Plan:
    """Return what a run would do; starts nothing.

    scenario: a file, or a name of the catalogue. target: `embedded`, `containers`, `compose`, a file that describes a
    service of your own, or a `Target`. overrides: `phases.outage.for=10s`. service: `fallback=off`, settings of the
    reference service. allow: hosts beyond this machine that the target's file may name.
    Raises ConfigurationError.
    """
    return plan_scenario(_request(scenario, target, seed, overrides, service, allow))


def run(
    scenario: str | Path,
    *,
    target: str | Path | Target = "embedded",
    seed: int = 1,
    overrides: Sequence[str] = (),
    service: Sequence[str] = (),
    allow: Sequence[str] = (),
    out: Path | None = None,
    labels: Mapping[str, str] = MappingProxyType({}),
    workers: int = 1,
    say: Callable[[str], None] = lambda _: None,
) -> RunResult:
    """Run a scenario, judge it and write its reports; the arguments are those of `plan`.

    out: an absent or empty directory; None is one of its own below `$HARNESS_OUT` or `reports/`. say: hears what goes on.
    The run is remembered beside its directory like one of the command line: an attempt is an attempt.
    `result.verdict` is None where nothing could be measured, and `result.trouble` then says why.
    Raises ConfigurationError and StorageError before anything starts. A SIGINT or SIGTERM in the main thread heals,
    keeps what was measured and is in `result.trouble`.
    """
    request = _request(scenario, target, seed, overrides, service, allow, out=out, labels=labels, workers=workers)
    with Interruption() as interruption:
        return run_scenario(request, interruption=interruption, view=lambda *_: _Unwatched(), say=say)


def judge(directory: str | Path) -> Verdict:
    """Judge a run directory again, from itself alone, and write its reports anew. Raises RunDirectoryError, StorageError."""
    verdict, _ = judge_and_report(RunDirectory.open(Path(directory)))
    return verdict


def _request(
    scenario: str | Path,
    target: str | Path | Target,
    seed: int,
    overrides: Sequence[str],
    service: Sequence[str],
    allow: Sequence[str],
    *,
    out: Path | None = None,
    labels: Mapping[str, str] = MappingProxyType({}),
    workers: int = 1,
) -> RunRequest:
    found = find_target(str(target), seed, service=service, allow=allow) if isinstance(target, str | Path) else target
    return RunRequest(
        scenario=read_scenario(find_scenario(str(scenario)), tuple(overrides)),
        target=found,
        seed=seed,
        out=out,
        labels=labels,
        workers=workers,
        history=history_path(out),
    )
