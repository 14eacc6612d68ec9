"""`harness trend`: the figures of one scenario over many runs."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from harness.compare.trend import RunFigures


@click.command("trend")
@click.argument("scenario", required=False)
@click.option("--file", "path", type=click.Path(path_type=Path, dir_okay=False), help="Default: reports/trend.jsonl.")
@click.option("--last", default=20, type=click.IntRange(1, 10_000), show_default=True, help="How many runs to show.")
@click.option("--json", "as_json", is_flag=True, help="Print the runs as JSON on standard output.")
def command(scenario: str | None, path: Path | None, last: int, as_json: bool) -> int:
    """Show how SCENARIO went over time, run by run; without SCENARIO, name those that there are.

    ▲ marks a p95 that lies above that of every earlier run shown for certain: its whole interval above theirs.
    """
    from harness.compare.trend import read_trend
    from harness.report import visible
    from harness.run.places import history_path
    from harness.rundir import codec

    file = path or history_path(None).with_name("trend.jsonl")
    if not file.is_file():
        raise ConfigurationError(
            f"{file}: no run is remembered there", advice="harness run writes it beside history.jsonl; --file names another"
        )
    runs, problems = read_trend(file)
    for problem in problems:
        click.echo(f"note: {visible(problem)}", err=True)
    names = list(dict.fromkeys(run.scenario for run in runs))
    if scenario is None:
        for name in names:
            click.echo(f"{visible(name)}  {sum(run.scenario == name for run in runs)} run(s)")
        return 0
    if scenario not in names:
        raise ConfigurationError(
            f"no run of {scenario!r} is remembered; there are {', '.join(names) or 'none'}{did_you_mean(scenario, names)}"
        )
    chosen = [run for run in runs if run.scenario == scenario][-last:]
    if as_json:
        click.echo(codec.to_pretty_json({"schema": "harness.trend/1", "runs": chosen}), nl=False)
        return 0
    for line in _table(chosen):
        click.echo(line)
    return 0


def _table(runs: "list[RunFigures]") -> list[str]:
    from harness.compare.trend import surely_above
    from harness.report import LOOKS, visible
    from harness.report.numbers import dollars, seconds

    lines = []
    for digest in dict.fromkeys(run.plan_digest for run in runs):
        alike = [run for run in runs if run.plan_digest == digest]
        lines.append(f"asked alike (plan {digest[:12]}):")
        for index, run in enumerate(alike):
            look = LOOKS[run.verdict]
            cells = []
            for phase in run.phases:
                before = [each for other in alike[:index] for each in other.phases if each.phase == phase.phase]
                p95 = seconds(phase.p95_s) if phase.p95_s is not None else "above every answer" if phase.judged else "no data"
                mark = " ▲" if surely_above(phase, before) else ""
                cells.append(f"{visible(phase.phase)} p95 {p95}{mark}, {phase.bad} of {phase.judged} bad")
            again = ", ".join(seconds(each) if each is not None else "never" for each in run.recovered_s)
            cells += [f"recovered {again}"] if again else []
            cells.append(dollars(run.spend_usd))
            version = visible(run.target_version or "unknown")
            lines.append(f"  {visible(run.at)[:19]}  {look.symbol} {look.word:<12} {version}  {'; '.join(cells)}")
    return lines
