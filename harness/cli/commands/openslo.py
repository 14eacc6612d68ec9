"""`harness openslo`: objectives for a scenario from OpenSLO files."""

from pathlib import Path

import click


@click.command("openslo")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path, dir_okay=False))
def command(files: tuple[Path, ...]) -> int:
    """Print the SLOs of each FILE as `objectives:` of a scenario, to be pasted into one.

    What is measured is named by the annotation harness/measure of each SLO, and by harness/threshold for a time.
    """
    import yaml

    from harness.export import objectives_from_openslo, read_openslo

    found = objectives_from_openslo([document for file in files for document in read_openslo(file)])
    click.echo(yaml.safe_dump({"objectives": found}, sort_keys=False, default_flow_style=None, width=120), nl=False)
    return 0
