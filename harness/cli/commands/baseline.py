"""`harness baseline save`: keep what a passed run measured, for later runs to be compared with."""

import json
from pathlib import Path

import click


@click.group("baseline")
def command() -> None:
    """Keep what a passed run measured; compare later ones with `harness run --baseline FILE`."""


@command.command("save")
@click.argument("run", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print as JSON on standard output.")
def save(run: Path, file: Path, as_json: bool) -> int:
    """Write what RUN measured to FILE: counts and histograms, a few kilobytes, to be committed. Only of a passed run."""
    from harness.errors import StorageError
    from harness.judge import judge
    from harness.judge.regression import MAX_BYTES, baseline_of
    from harness.measure import read_run
    from harness.rundir import RunDirectory, codec
    from harness.rundir.files import write_named

    directory = RunDirectory.open(run)
    reading = read_run(directory)
    data = codec.to_pretty_json(baseline_of(reading, judge(directory, reading)))
    if len(data) > MAX_BYTES:
        raise StorageError(f"{file}: the baseline would take {len(data):,} bytes; {MAX_BYTES:,} are the most that it may")
    write_named(file, data)
    click.echo(f"{file}: {len(data):,} bytes from run {reading.plan.run_id}", err=True)
    if as_json:
        click.echo(json.dumps({"schema": "harness.saved/1", "file": str(file), "bytes": len(data), "run": reading.plan.run_id}))
    return 0
