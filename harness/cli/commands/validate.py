"""`harness validate`: check scenario files before anybody waits for them."""

from pathlib import Path

import click

from harness.cli.options import make_target
from harness.errors import ConfigurationError, ExitCode


@click.command("validate")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
def command(files: tuple[str, ...]) -> int:
    """Check each FILE (a scenario, or a name of the catalogue): `file:line:col: what; allowed; did you mean`."""
    from harness.run.session import RunRequest, plan_scenario
    from harness.scenario import find_scenario, read_scenario

    broken = False
    for name in files:
        try:
            path: Path = find_scenario(name)
            plan_scenario(RunRequest(scenario=read_scenario(path), target=make_target("embedded", 1)))
        except ConfigurationError as error:
            broken = True
            click.echo(str(error), err=True)
        else:
            click.echo(f"{path}: ok", err=True)
    return int(ExitCode.CONFIGURATION if broken else ExitCode.PASS)
