"""`harness verify-gate`: a gate that has never been seen to fail proves nothing."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from harness.cli.gate_table import Matrix
    from harness.scenario.catchers import Catcher

_PLACE = click.Path(path_type=Path, file_okay=False)


@click.command("verify-gate")
@click.argument("defects", nargs=-1, metavar="[DEFECT]...")
@click.option("--all", "everything", is_flag=True, help="Every planted defect that a scenario is known to catch.")
@click.option("--bundle", help="Only what this bundle must catch, each by the bundle's own scenario: gate.")
@click.option("--shard", default="1/1", metavar="I/N", show_default=True, help="Only every N-th defect, from the I-th on.")
@click.option(
    "--together",
    is_flag=True,
    help="Plant defects that break different parts, and that different results must catch, in one run.",
)
@click.option("--out", type=_PLACE, help="Where the runs go: an absent or empty directory.")
@click.option("--seed", default=1, type=click.IntRange(0, 2**31 - 1), show_default=True, help="Of each run.")
@click.option("--no-control", is_flag=True, help="Do not run the scenarios against the healthy service: false alarms go unseen.")
@click.option("--merge", multiple=True, type=_PLACE, help="Run nothing; put the matrices of these --out directories together.")
@click.option("--markdown", type=click.Path(path_type=Path, dir_okay=False), help="Also write the matrix as a page.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON on standard output.")
def command(
    defects: tuple[str, ...],
    everything: bool,
    bundle: str | None,
    shard: str,
    together: bool,
    out: Path | None,
    seed: int,
    no_control: bool,
    merge: tuple[Path, ...],
    markdown: Path | None,
    as_json: bool,
) -> int:
    """Plant each DEFECT in the embedded service, run the scenario that must catch it, and print what caught what.

    One stack serves all: only the service starts anew with each defect.

    \b
    harness verify-gate --together               eight guards, in a healthy run and a broken one
    harness verify-gate                          the same eight, each in a run of its own
    harness verify-gate fallback-missing         one
    harness verify-gate --all --together         all, several in a run
    harness verify-gate --all --shard 1/4        a quarter of all
    harness verify-gate --bundle gate --together what the bundle catches, and which share of all that is
    Exit codes: 0 all caught and no false alarm, 1 a missed defect or a false alarm, 2 an unknown defect,
    3 nothing was missed, but a run could not be judged or a defect has no catcher, 5 a stack did not start.
    """
    from harness.cli.gate_table import matrix_markdown, matrix_text, read_matrices
    from harness.rundir import codec
    from harness.rundir.files import write_named
    from harness.scenario.catchers import shard_of

    if merge:
        if defects or everything or bundle is not None or out is not None:
            raise ConfigurationError("--merge runs nothing; it takes no DEFECT, no --all, no --bundle and no --out")
        matrix = read_matrices(merge)
    else:
        catchers, empty = _asked(defects, everything=everything, bundle=bundle)
        matrix = _run(shard_of(catchers, shard), empty, together=together, out=out, seed=seed, control=not no_control)
    if as_json:
        click.echo(codec.to_pretty_json(matrix), nl=False)
    else:
        click.echo(matrix_text(matrix), file=sys.stdout)
    if markdown is not None:
        write_named(markdown, matrix_markdown(matrix, "harness verify-gate").encode())
    return int(matrix.exit_code)


def _asked(defects: tuple[str, ...], *, everything: bool, bundle: str | None) -> "tuple[Sequence[Catcher], Matrix]":
    """Return who is to catch what, and the matrix before its first trial: with what they do not look for."""
    from harness.cli.gate_table import Matrix
    from harness.scenario.bundle_catchers import catchers_of
    from harness.scenario.bundles import read_bundle
    from harness.scenario.catchers import chosen, uncaught_of
    from harness.target.embedded.defects import planted_defects

    if bundle is None:
        return chosen(defects, everything=everything), Matrix(
            trials=(), uncaught=uncaught_of(planted_defects()) if everything else ()
        )
    among = catchers_of(read_bundle(bundle))
    if defects:
        return chosen(defects, everything=False, among=among), Matrix(trials=())
    return among, Matrix(trials=(), bundle=bundle, not_its=uncaught_of(planted_defects(), among))


def _run(
    catchers: "Sequence[Catcher]", empty: "Matrix", *, together: bool, out: Path | None, seed: int, control: bool
) -> "Matrix":
    from harness.cli.gate_rounds import rounds_of
    from harness.cli.gate_runs import run_trials
    from harness.run.interruption import Interruption
    from harness.run.places import default_out, new_run_id
    from harness.target.embedded.defects import parts_of_defects

    parent = out or default_out(new_run_id("verify-gate"))
    with Interruption(reports=False) as interruption:  # a trial that was cut short shows nothing
        return run_trials(
            rounds_of(catchers, control=control, parts=parts_of_defects() if together else None),
            parent,
            seed=seed,
            interruption=interruption,
            say=lambda text: click.echo(text, err=True),
            empty=empty,
        )
