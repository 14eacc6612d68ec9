"""`harness compare`: is a run worse than another."""

import math
from pathlib import Path

import click

_DIRECTORY = click.Path(path_type=Path, file_okay=False, exists=True)
_EXIT_CODES = {"worse": 1, "undecided": 3, "not worse": 0, "better": 0}
_SIGNS = {"worse": "✗", "undecided": "?", "not worse": "✓", "better": "✓"}


@click.command("compare")
@click.argument("base", type=_DIRECTORY, metavar="BASE")
@click.argument("new", type=_DIRECTORY, metavar="NEW")
@click.option("--share-effect", default="1%", show_default=True, help="A bad share that differs by less does not matter.")
@click.option("--effect", default="10%", show_default=True, help="Latency or cost that differs by less does not matter.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON on standard output.")
def command(base: Path, new: Path, share_effect: str, effect: str, as_json: bool) -> int:
    """Compare the run NEW with the run BASE: worse 1, not worse 0, undecided 3.

    Worse is what surely differs, and by at least the minimum effect. Runs that were not asked the same are refused (2).
    """
    from harness.compare import compare
    from harness.rundir import RunDirectory, codec

    comparison = compare(
        RunDirectory.open(base),
        RunDirectory.open(new),
        share_effect=_share(share_effect, "--share-effect"),
        relative_effect=_share(effect, "--effect"),
    )
    if as_json:
        document = {"schema": "harness.comparison/1", "finding": comparison.finding, "comparison": comparison}
        click.echo(codec.to_pretty_json(document), nl=False)
        return _EXIT_CODES[comparison.finding.value]
    from harness.report import visible
    from harness.report.numbers import in_unit, percent

    def told(value: float, unit: str, *, signed: bool = False) -> str:
        if math.isinf(value):
            return ("+∞" if value > 0 else "-∞") if signed else "never"
        sign = ("+" if value >= 0 else "-") if signed else ""
        return f"{sign}{in_unit(abs(value), unit)}"

    versions = " to ".join(visible(version or "unknown") for version in (comparison.base_version, comparison.new_version))
    click.echo(f"{visible(comparison.base)} to {visible(comparison.new)} (target version {versions})")
    rows = [
        (f"{_SIGNS[each.finding.value]} {each.finding.value}", f"{visible(each.phase)} {each.quantity}",
         f"{told(each.base.value, each.unit)} to {told(each.new.value, each.unit)}",
         f"{told(each.value, each.unit, signed=True)} (between {told(each.low, each.unit, signed=True)} "
         f"and {told(each.high, each.unit, signed=True)}; matters from {told(each.effect, each.unit)})")
        for each in comparison.differences
    ]  # fmt: skip
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    for row in rows:
        click.echo("  " + "  ".join(text.ljust(width) for text, width in zip(row, (*widths, 0), strict=True)))
    click.echo(f"{comparison.finding.value}; each interval at {percent(comparison.confidence)} so that all hold together at 95 %")
    if comparison.finding.value == "undecided":
        click.echo("longer phases or more load would decide; or a larger --share-effect or --effect, if less does not matter")
    for note in comparison.notes:
        click.echo(f"note: {visible(note)}", err=True)
    return _EXIT_CODES[comparison.finding.value]


def _share(text: str, option: str) -> float:
    from harness.errors import ConfigurationError
    from harness.model.units import parse_share_ratio

    try:
        return parse_share_ratio(text)
    except ValueError as error:
        raise ConfigurationError(f"{option}: {error}") from error
