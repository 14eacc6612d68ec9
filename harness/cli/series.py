"""Several runs, one after the other, until one ends them all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from harness.errors import ExitCode

if TYPE_CHECKING:
    from harness.run.interruption import Interruption
    from harness.run.session import RunRequest, RunResult

_DECIDED = frozenset({ExitCode.PASS, ExitCode.FAIL, ExitCode.INVALID, ExitCode.INCONCLUSIVE})
"""What a deadline that passed between two runs goes before: not all that was asked was run."""


@dataclass(slots=True)
class Series:
    """What came of the runs. late: the deadline passed with runs left."""

    results: "list[RunResult]" = field(default_factory=list)
    late: bool = False

    def exit_code(self, *, strict: bool) -> int:
        """Return what the pipeline reads."""
        from harness.run.session import worst_exit_code

        code = worst_exit_code(self.results, strict=strict) if self.results else int(ExitCode.ABORTED)
        return int(ExitCode.ABORTED) if self.late and code in _DECIDED else code


def run_series(
    requests: "Sequence[RunRequest]",
    execute: "Callable[[RunRequest], RunResult]",
    *,
    interruption: "Interruption",
    ends: "Callable[[RunResult], bool]",
) -> Series:
    """Run until a run has trouble of ours, `ends` says so, or the deadline has passed."""
    series = Series()
    for request in requests:
        if interruption.late is not None:
            series.late = True
            left = len(requests) - len(series.results)
            click.echo(f"error: {interruption.late}: {left} of {len(requests)} runs were not started", err=True)
            break
        result = execute(request)
        series.results.append(result)
        if result.trouble is not None:
            click.echo(f"error: {result.trouble}", err=True)
            if result.verdict is not None or any((result.run.path / "samples").glob("*")):
                click.echo(f"  what was measured so far is in {result.run.path}", err=True)
            break
        if ends(result):
            break
    return series
