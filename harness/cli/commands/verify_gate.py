"""`harness verify-gate`: a gate that has never been seen to fail proves nothing."""

import sys
from pathlib import Path

import click


@click.command("verify-gate")
@click.argument("defects", nargs=-1, metavar="[DEFECT]...")
@click.option("--all", "everything", is_flag=True, help="Every planted defect that a scenario is known to catch.")
@click.option("--shard", default="1/1", metavar="I/N", show_default=True, help="Only every N-th defect, from the I-th on.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Where the runs go: an absent or empty directory.")
@click.option("--seed", default=1, type=click.IntRange(0, 2**31 - 1), show_default=True, help="Of each run.")
@click.option("--no-control", is_flag=True, help="Do not run the scenarios against the healthy service: false alarms go unseen.")
def command(defects: tuple[str, ...], everything: bool, shard: str, out: Path | None, seed: int, no_control: bool) -> int:
    """Plant each DEFECT in the embedded service, run the scenario that must catch it, and print what caught what.

    \b
    harness verify-gate                          the eight that continuous integration runs
    harness verify-gate fallback-missing         one
    harness verify-gate --all --shard 1/4        a quarter of all
    Exit codes: 0 all caught and no false alarm, 1 a missed defect or a false alarm, 2 an unknown defect,
    3 nothing was missed, but a run could not be judged, 5 a stack did not start.
    """
    from harness.cli.gate_runs import run_trials
    from harness.cli.gate_table import matrix_text
    from harness.run.interruption import Interruption
    from harness.run.places import default_out, new_run_id
    from harness.scenario.catchers import chosen, shard_of

    catchers = shard_of(chosen(defects, everything=everything), shard)
    parent = out or default_out(new_run_id("verify-gate"))
    with Interruption() as interruption:
        matrix = run_trials(
            catchers,
            parent,
            seed=seed,
            control=not no_control,
            interruption=interruption,
            say=lambda text: click.echo(text, err=True),
        )
    click.echo(matrix_text(matrix), file=sys.stdout)
    return int(matrix.exit_code)
