"""`harness report`: write the reports of a run directory again."""

from pathlib import Path

import click


@click.command("report")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False, exists=True), default=Path("reports/latest"))
@click.option("--format", "formats", default="html,md,junit", show_default=True, help="Which reports to write.")
def command(directory: Path, formats: str) -> int:
    """Write report.html, report.md and junit.xml from the last verdict in DIRECTORY (reports/latest by default)."""
    from harness.report import write_reports
    from harness.rundir import RunDirectory

    for path in write_reports(RunDirectory.open(directory), tuple(part.strip() for part in formats.split(","))):
        click.echo(path)
    return 0
