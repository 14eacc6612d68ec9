"""What `harness run` needs where nobody watches: a deadline, repetitions, and words for the pipeline that it runs in."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from harness.errors import ConfigurationError
from harness.model.units import format_duration, parse_duration_ns

if TYPE_CHECKING:
    from harness.model.plan import Plan
    from harness.run.session import RunResult
    from harness.scenario.bundles import Bundled

F = TypeVar("F", bound=Callable[..., Any])


def unattended_options(function: F) -> F:
    """Add --deadline and --repeat."""
    options = [
        click.option("--deadline", metavar="TIME", help="End it, healed and judged, after so long (exit 6): 9m."),
        click.option(
            "--repeat",
            default=1,
            type=click.IntRange(1, 1000),
            show_default=True,
            help="Run each scenario so often, each time with the next seed; a search for the limit is one run.",
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def repeated(rows: "Sequence[Bundled]", seed: int, repeat: int) -> "list[tuple[Bundled, int]]":
    """Return each scenario with its seed, `repeat` times over: the same seed again would be the same run again."""
    return [(row, seed + number) for number in range(repeat) for row in rows]


def deadline_ns(text: str | None, plans: "Sequence[Plan]") -> int | None:
    """Return the deadline. Raises ConfigurationError for one that the phases alone do not keep."""
    if text is None:
        return None
    try:
        given_ns = parse_duration_ns(text)
    except ValueError as error:
        raise ConfigurationError(f"--deadline: {error}") from error
    needed_ns = sum(plan.end_ns for plan in plans)
    if needed_ns >= given_ns:
        raise ConfigurationError(
            f"--deadline {text}: the phases alone take {format_duration(needed_ns)}",
            advice="give it more time, fewer scenarios, or shorter phases: --set phases.NAME.for=10s",
        )
    return given_ns


def repeated_text(results: "Sequence[RunResult]", repeat: int) -> str:
    """Return what the repetitions came to, scenario by scenario, and what so many clean recoveries prove."""
    from harness.report import visible
    from harness.report.numbers import percent
    from harness.stats.drills import recovery_probability_proved

    lines = []
    by_name: dict[str, list[RunResult]] = {}
    for result in results:
        by_name.setdefault(result.run.read_plan().scenario.name, []).append(result)
    for name, several in by_name.items():
        verdicts = [result.verdict.verdict.value if result.verdict else "not judged" for result in several]
        counts = ", ".join(f"{verdicts.count(each)} {each}" for each in dict.fromkeys(verdicts))
        lines.append(f"{visible(name)}: {len(several)} of {repeat} runs: {counts}")
        if set(verdicts) <= {"pass", "warn"} and any(result.verdict and result.verdict.faults for result in several):
            proved = percent(recovery_probability_proved(len(several)))
            lines.append(
                f"  {len(several)} clean drill(s) prove that it recovers at least {proved} of the time (95 % confidence)"
            )
    return "\n".join(lines)


def tell_pipeline(results: "Sequence[RunResult]", environment: Mapping[str, str] = os.environ) -> None:
    """Append the runs' Markdown to the step summary where the pipeline has one; what cannot be written is left out."""
    summary = environment.get("GITHUB_STEP_SUMMARY")
    if not summary:
        return
    for result in results:
        report = result.run.path / "report.md"
        if report.is_file():
            try:
                with Path(summary).open("a", encoding="utf-8") as file:
                    file.write(report.read_text("utf-8") + "\n")
            except OSError as error:
                click.echo(f"WARNING: the step summary cannot be written: {error.strerror}", err=True)


def annotation(problem: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return a problem written as `FILE:LINE:COL: what` as a command that a pipeline shows at the line; None elsewhere."""
    if environment.get("GITHUB_ACTIONS") != "true":
        return None
    first, *_ = problem.split("\n", 1)
    file, _, rest = first.partition(":")
    line, _, after = rest.partition(":")
    column, _, what = after.partition(":")
    if not (line.isdigit() and column.isdigit() and what):
        return f"::error::{_escaped(problem)}"
    return f"::error file={_escaped(file, more=',:')},line={line},col={column}::{_escaped(what.strip())}"


def _escaped(text: str, *, more: str = "") -> str:
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
