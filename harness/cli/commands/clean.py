"""`harness clean`: remove what a killed run left behind, and old runs."""

import json
import os
from pathlib import Path

import click


@click.command("clean")
@click.option("--runs", is_flag=True, help="Remove old run directories too; history.jsonl and trend.jsonl stay.")
@click.option("--keep", default=20, type=click.IntRange(0), show_default=True, help="With --runs: how many of the newest stay.")
@click.option("--in", "place", type=click.Path(path_type=Path, file_okay=False), help="Where the runs are. Default: reports.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON on standard output.")
def command(runs: bool, keep: int, place: Path | None, as_json: bool) -> int:
    """Heal faults and end processes of runs whose control process is gone; never touches a run that lives."""
    from harness.faults import heal_leftovers
    from harness.target.containers import clean_containers
    from harness.target.supervise import clean_leftovers, default_state_directory

    directory = default_state_directory()
    done = [*heal_leftovers(directory), *clean_leftovers(directory), *clean_containers()]
    if not as_json:
        for line in done:
            click.echo(line)
    reports = place or Path(os.environ.get("HARNESS_OUT") or "reports")
    gone = _remove_runs(reports, keep, directory) if runs else []
    if as_json:
        click.echo(json.dumps({"schema": "harness.clean/1", "done": done, "removed": [str(path) for path in gone]}, indent=1))
        return 0
    for path in gone:
        click.echo(f"removed {path}")
    if runs and not gone:
        click.echo(f"no run in {reports} is older than the newest {keep}")
    elif not runs and not done:
        click.echo("nothing was left behind")
    return 0


def _remove_runs(reports: Path, keep: int, state_directory: Path) -> list[Path]:
    from harness.cli.old_runs import old_runs, remove
    from harness.run.live_runs import live_runs

    live = frozenset(Path(run.directory) for run in live_runs(state_directory) if run.directory)
    gone = old_runs(reports, keep, live)
    for path in gone:
        remove(path)
    return list(gone)
