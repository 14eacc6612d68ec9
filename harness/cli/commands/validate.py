"""`harness validate`: check files before anybody waits for them."""

from pathlib import Path

import click

from harness.cli.options import make_target
from harness.errors import ConfigurationError, ExitCode


@click.command("validate")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--checklist", type=click.Path(path_type=Path, dir_okay=False), help="Whose rows attestations and waivers name.")
def command(files: tuple[str, ...], checklist: Path | None) -> int:
    """Check each FILE: a scenario or its name, a target, a checklist, attestations, waivers.

    A problem is told as `file:line:col: what; allowed; did you mean`.
    """
    from harness.readiness.files import read_if_release_file
    from harness.run.session import RunRequest, plan_scenario
    from harness.run.targets import describes_target
    from harness.scenario import find_scenario, read_scenario
    from harness.target.description import is_target_file

    broken = False
    for name in files:
        try:
            if read_if_release_file(Path(name), checklist):
                click.echo(f"{name}: ok", err=True)
                continue
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
