"""`harness validate`: check scenario files before anybody waits for them."""

from pathlib import Path

import click

from harness.cli.options import describes_target, make_target
from harness.errors import ConfigurationError, ExitCode


@click.command("validate")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
def command(files: tuple[str, ...]) -> int:
    """Check each FILE (a scenario, a name of the catalogue, a target): `file:line:col: what; allowed; did you mean`."""
    from harness.run.session import RunRequest, plan_scenario
    from harness.scenario import find_scenario, read_scenario
    from harness.target.description import is_target_file

    broken = False
    for name in files:
        try:
            if describes_target(name) and is_target_file(Path(name)):
                path = Path(name)
                make_target(name, 1).offer()
                click.echo(f"{path}: ok", err=True)
                continue
            path = find_scenario(name)
            plan_scenario(RunRequest(scenario=read_scenario(path), target=make_target("embedded", 1)))
        except ConfigurationError as error:
            broken = True
            click.echo(str(error), err=True)
        else:
            click.echo(f"{path}: ok", err=True)
    return int(ExitCode.CONFIGURATION if broken else ExitCode.PASS)
