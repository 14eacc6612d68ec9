"""`harness new`: the first files of a fault, a check or an objective of one's own."""

import json
from pathlib import Path

import click


@click.command("new")
@click.argument("what", type=click.Choice(["fault", "check", "objective"]))
@click.argument("name")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--json", "as_json", is_flag=True, help="Print as JSON on standard output.")
def command(what: str, name: str, directory: Path, as_json: bool) -> int:
    """Write NAME.py, test_NAME.py and NAME.md into DIRECTORY (here by default): an extension that works, to be changed.

    \b
    harness new fault slow_mount chaos/
    pytest chaos/test_slow_mount.py
    """
    from harness.extensions.first import write_first

    written = write_first(what, name, directory)
    for path in written:
        click.echo(f"wrote {path}", err=True)
    click.echo(f"  next: pytest {written[1]}; then name it in a scenario beside it: plugins: [./{written[0].name}]", err=True)
    if as_json:
        click.echo(json.dumps({"schema": "harness.new/1", "written": [str(path) for path in written]}))
    return 0
