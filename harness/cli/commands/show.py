"""`harness show`: look into a run, or into a release, without opening the report."""

import json
import os
import sys
from pathlib import Path

import click

from harness.errors import ConfigurationError


@click.command("show")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False, exists=True), default=Path("reports/latest"))
@click.option("--journal", is_flag=True, help="What happened when, too.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict (or the readiness document) as JSON.")
def command(directory: Path, journal: bool, as_json: bool) -> int:
    """Say what the run in DIRECTORY came to (reports/latest by default); a directory of runs or of a release too."""
    if (directory / "readiness.json").is_file():
        return _release(directory, as_json=as_json)
    if (directory / "run.json").is_file() and not (directory / "plan.json").is_file():
        return _several(directory, as_json=as_json)
    return _run(directory, journal=journal, as_json=as_json)


def _run(directory: Path, *, journal: bool, as_json: bool) -> int:
    from harness.cli.run_text import journal_text, phases_text
    from harness.cli.summary import print_verdict
    from harness.report.material import read_material
    from harness.rundir import RunDirectory
    from harness.rundir.writer import is_held

    run = RunDirectory.open(directory)
    if as_json:
        run.verdict()  # what is no verdict is told, not printed
        click.echo((directory / "verdict.json").read_text("utf-8"), nl=False)
        return 0
    material = read_material(run)
    if material.verdict is not None:
        print_verdict(material.verdict, run, sys.stdout, colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
    click.echo(phases_text(material))
    if journal:
        click.echo(journal_text(material))
    if material.verdict is None and is_held(directory):
        click.echo("note: its run is still going on; what it comes to is not known yet", err=True)
        return 0
    for part in material.missing:
        click.echo(f"note: {part}", err=True)
    return 0


def _several(directory: Path, *, as_json: bool) -> int:
    from harness.report import visible

    data = (directory / "run.json").read_bytes()
    try:
        index = json.loads(data)
        rows = [(str(row["directory"]), str(row["verdict"] or "not judged")) for row in index["runs"]]
        rows += [
            (f"{row['scenario']}: {'; '.join(map(str, row['reasons']))}", "not applicable")
            for row in index.get("not_applicable", [])
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{directory}/run.json: not the index of a run") from error
    if as_json:
        click.echo(data, nl=False)
        return 0
    for name, verdict in rows:
        click.echo(f"{visible(verdict):<14} {visible(name)}")
    return 0


def _release(directory: Path, *, as_json: bool) -> int:
    from harness.cli.release_text import print_release
    from harness.readiness.signoff import read_document, read_sign_offs
    from harness.report import visible
    from harness.rundir.files import sha256_of

    document = directory / "readiness.json"
    readiness = read_document(document)
    if as_json:
        click.echo(document.read_text("utf-8"), nl=False)
        return 0
    print_release(readiness, sorted(directory.glob("readiness.*")), sys.stdout)
    digest = sha256_of(document)
    for record in read_sign_offs(document):
        stale = "" if record.digest == digest else "  (of another document, not of this one)"
        click.echo(f"  {record.decision} by {visible(record.name)} on {visible(record.at)}: {visible(record.reason)}{stale}")
    return 0
