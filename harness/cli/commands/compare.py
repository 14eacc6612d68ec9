"""`harness compare`: is a run worse than another."""

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
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write it as a page with plots, too.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON on standard output.")
def command(base: Path, new: Path, share_effect: str, effect: str, html: Path | None, as_json: bool) -> int:
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
    if html is not None:
        from harness.cli.compared_page import compared_page
        from harness.rundir.files import write_named

        write_named(html, compared_page(comparison, base, new).encode("utf-8", "backslashreplace"))
        click.echo(f"wrote {html}", err=True)
    if as_json:
        document = {"schema": "harness.comparison/1", "finding": comparison.finding, "comparison": comparison}
        click.echo(codec.to_pretty_json(document), nl=False)
        return _EXIT_CODES[comparison.finding.value]
    from harness.cli.compared_text import rows_of, sentence_of
    from harness.report import visible

    versions = " to ".join(visible(version or "unknown") for version in (comparison.base_version, comparison.new_version))
    click.echo(f"{visible(comparison.base)} to {visible(comparison.new)} (target version {versions})")
    rows = [
        (f"{_SIGNS[each.finding]} {each.finding}", visible(each.name), f"{each.base} to {each.new}",
         f"{each.told.removesuffix(')')}; matters from {each.matters})")
        for each in rows_of(comparison)
    ]  # fmt: skip
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    for row in rows:
        click.echo("  " + "  ".join(text.ljust(width) for text, width in zip(row, (*widths, 0), strict=True)))
    click.echo(sentence_of(comparison))
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
