"""`harness judge`: judge a run directory again, offline."""

import os
import sys
from pathlib import Path

import click


@click.command("judge")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False, exists=True), default=Path("reports/latest"))
@click.option("--strict", is_flag=True, help="A warning fails (exit 1).")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON on standard output.")
def command(directory: Path, strict: bool, as_json: bool) -> int:
    """Judge the run in DIRECTORY (reports/latest by default) again and write its reports anew."""
    from harness.cli.summary import print_verdict
    from harness.model.judgement import Status
    from harness.run.session import judge_and_report
    from harness.rundir import RunDirectory

    run = RunDirectory.open(directory)
    verdict, _ = judge_and_report(run)
    if as_json:
        click.echo((run.path / "verdict.json").read_text(), nl=False)
    else:
        print_verdict(verdict, run, sys.stderr, colour=sys.stderr.isatty() and not os.environ.get("NO_COLOR"))
    return 1 if strict and verdict.verdict is Status.WARN else verdict.exit_code
