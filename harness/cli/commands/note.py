"""`harness note`: what somebody who watches a run sees, written into its journal."""

import getpass
import json

import click


@click.command("note")
@click.argument("text", nargs=-1, required=True, metavar="TEXT...")
@click.option("--run", "run", metavar="RUN", help="Which live run, by its name or pid; see harness ps.")
@click.option("--as", "name", metavar="NAME", help="Who writes. Default: the name that you are logged in with.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON on standard output.")
def command(text: tuple[str, ...], run: str | None, name: str | None, as_json: bool) -> int:
    """Write TEXT with its moment into the journal of the live run; it stands in the report and in the debrief."""
    from harness.errors import ConfigurationError
    from harness.run.live_runs import choose, live_runs
    from harness.target.supervise import default_state_directory

    words = " ".join(text).strip()
    if not words:
        raise ConfigurationError("the note is empty")
    chosen = choose(live_runs(default_state_directory()), run)
    by = name or _login()
    chosen.order({"do": "note", "text": words, "by": by})
    click.echo(f"noted in {chosen.name}", err=True)
    if as_json:
        click.echo(json.dumps({"schema": "harness.note/1", "run": chosen.name, "by": by, "text": words}))
    return 0


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"  # a user without an entry: a container with a number only
