"""`harness pack`: a run directory as one file to pass on."""

import json
from pathlib import Path

import click


@click.command("pack")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False, exists=True), default=Path("reports/latest"))
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Default: the directory's name with .tar.gz, beside it."
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON on standard output.")
def command(directory: Path, out: Path | None, as_json: bool) -> int:
    """Write DIRECTORY (reports/latest by default) as one .tar.gz: digests checked, the same bytes each time.

    The other side unpacks it with `tar xzf FILE` and has a run directory again.
    """
    from harness.rundir.pack import pack

    place = directory.resolve()
    path = out or place.with_name(f"{place.name}.tar.gz")
    digest = pack(directory, path)
    if as_json:
        click.echo(json.dumps({"schema": "harness.pack/1", "file": str(path), "sha256": digest}))
        return 0
    click.echo(path)
    click.echo(f"sha256 {digest}", err=True)
    return 0
