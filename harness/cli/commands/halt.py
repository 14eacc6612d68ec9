"""`harness halt`: end a live run, healed."""

import json

import click

from harness.errors import ConfigurationError


@click.command("halt")
@click.argument("run", required=False)
@click.option("--all", "every", is_flag=True, help="Every live run of yours.")
@click.option("--reason", default="", help="Kept in the journal.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON on standard output.")
def command(run: str | None, every: bool, reason: str, as_json: bool) -> int:
    """Clear every fault of RUN and end it (it exits 6). Without RUN, the only one that is live."""
    from harness.run.live_runs import choose, live_runs
    from harness.target.supervise import default_state_directory

    if every and run is not None:
        raise ConfigurationError("halt takes RUN or --all, not both")
    runs = live_runs(default_state_directory())
    told = runs if every and runs else [choose(runs, run)]
    for each in told:
        each.order({"do": "halt", "reason": reason})
        click.echo(f"{each.name} is told to end", err=True)
    if as_json:
        click.echo(json.dumps({"schema": "harness.halt/1", "runs": [each.name for each in told]}))
    return 0
