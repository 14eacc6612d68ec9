"""`harness ps`: what is live now."""

import json

import click


@click.command("ps")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def command(as_json: bool) -> int:
    """List the runs that are live, with the faults that are in force."""
    from harness.run.live_runs import live_runs
    from harness.target.supervise import default_state_directory

    runs = live_runs(default_state_directory())
    if as_json:
        shown = [{"name": r.name, "what": r.what, "pid": r.pid, "faults": r.faults, "directory": r.directory} for r in runs]
        click.echo(json.dumps(shown, indent=1))
        return 0
    for run in runs:
        where = f"  {run.directory}" if run.directory else ""
        click.echo(f"{run.name}  {run.what}  pid {run.pid}  {run.faults} fault(s) in force{where}")
    if not runs:
        click.echo("nothing is live", err=True)
    return 0
