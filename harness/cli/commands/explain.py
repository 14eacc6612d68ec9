"""`harness explain`: why a result is what it is."""

from pathlib import Path

import click


@click.command("explain")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False, exists=True), metavar="RUN")
@click.argument("name", required=False, metavar="[OBJECTIVE|REQUEST]")
@click.option(
    "--requests", "detailed", default=5, type=click.IntRange(0, 1000), show_default=True, help="How many requests to show whole."
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON on standard output.")
def command(directory: Path, name: str | None, detailed: int, as_json: bool) -> int:
    """Say why: each bad request with its provider calls, faults and log lines, and where its time went.

    \b
    harness explain reports/latest                      every result that did not pass
    harness explain reports/latest latency-p95/outage   one of them
    harness explain reports/latest 731                  one request, by its number or its id
    """
    from harness.cli.explain_text import explanation_text
    from harness.explain import explain
    from harness.rundir import RunDirectory, codec

    explanations = explain(RunDirectory.open(directory), name, detailed=detailed)
    if as_json:
        click.echo(codec.to_pretty_json({"schema": "harness.explanation/1", "explanations": explanations}), nl=False)
    else:
        click.echo(explanation_text(explanations))
    return 0
