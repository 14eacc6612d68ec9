"""`harness validate`: check files before anybody waits for them."""

import json
from pathlib import Path

import click

from harness.cli.options import make_target
from harness.errors import ConfigurationError, ExitCode


@click.command("validate")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--checklist", type=click.Path(path_type=Path, dir_okay=False), help="Whose rows attestations and waivers name.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON on standard output.")
def command(files: tuple[str, ...], checklist: Path | None, as_json: bool) -> int:
    """Check each FILE: a scenario or its name, a target, a checklist, attestations, waivers.

    A problem is told as `file:line:col: what; allowed; did you mean`.
    """
    told: list[dict[str, object]] = []
    broken = False
    for name in files:
        problems: tuple[str, ...] = ()
        try:
            path = _check(name, checklist)
        except ConfigurationError as error:
            broken, path, problems = True, name, error.problems
            click.echo(str(error), err=True)
        else:
            click.echo(f"{path}: ok", err=True)
        told.append({"file": path, "ok": not problems, "problems": list(problems)})
    if as_json:
        click.echo(json.dumps({"schema": "harness.validation/1", "files": told}, indent=1))
    return int(ExitCode.CONFIGURATION if broken else ExitCode.PASS)


def _check(name: str, checklist: Path | None) -> str:
    """Return the path of a sound file. Raises ConfigurationError."""
    from harness.readiness.files import read_if_release_file
    from harness.run.session import RunRequest, plan_scenario
    from harness.run.targets import describes_target
    from harness.scenario import find_scenario, read_scenario
    from harness.target.description import is_target_file

    if read_if_release_file(Path(name), checklist):
        return name
    if describes_target(name) and is_target_file(Path(name)):
        make_target(name, 1).offer()
        return str(Path(name))
    path = find_scenario(name)
    plan_scenario(RunRequest(scenario=read_scenario(path), target=make_target("embedded", 1)))
    return str(path)
