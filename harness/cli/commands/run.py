"""`harness run`: run scenarios, judge them, report them."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import click

from harness.cli.distribution import distribution_options, gathering_of, say_what_is_carried
from harness.cli.options import live_options, parse_labels, scenario_options
from harness.cli.series import Series, run_series
from harness.cli.unattended import deadline_ns, repeated, repeated_text, tell_pipeline, unattended_options
from harness.errors import ConfigurationError


@click.command("run")
@click.argument("scenarios", nargs=-1, metavar="[SCENARIO]...")
@click.option("--bundle", help="Run a list of scenarios: smoke, gate or full.")
@scenario_options
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Where the run goes: an absent or empty directory.")
@click.option("--strict", is_flag=True, help="A warning fails the run (exit 1).")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON on standard output.")
@click.option("--fail-fast", is_flag=True, help="Stop after the first scenario that does not pass.")
@click.option(
    "--baseline", type=click.Path(path_type=Path, dir_okay=False), help="Compare with this, of `harness baseline save`."
)
@click.option("--no-rehearsal", is_flag=True, help="Do not try each fault before the load; such a run proves no checklist row.")
@click.option("--fresh-stacks", is_flag=True, help="A new embedded stack for each scenario, also where the bundle shares one.")
@click.option("--against", metavar="TARGET", help="Run this older version beside --target, on one schedule, and compare them.")
@click.option("--against-service", multiple=True, metavar="SETTING=VALUE", help="As --service, of the older version.")
@click.option("--block", default="1s", show_default=True, metavar="TIME", help="How long the blocks are that --against deals in.")
@click.option("--pair", hidden=True, help="Given by --against to each of the two runs.")
@unattended_options
@live_options
@distribution_options
def command(
    scenarios: tuple[str, ...],
    bundle: str | None,
    target: str,
    seed: int,
    overrides: tuple[str, ...],
    labels: tuple[str, ...],
    service: tuple[str, ...],
    workers: int,
    out: Path | None,
    strict: bool,
    as_json: bool,
    fail_fast: bool,
    no_rehearsal: bool,
    fresh_stacks: bool,
    baseline: Path | None,
    against: str | None,
    against_service: tuple[str, ...],
    block: str,
    pair: str | None,
    deadline: str | None,
    repeat: int,
    live: bool,
    live_port: int,
    expect_workers: int,
    bind: str | None,
    max_wait: str,
    token_file: Path | None,
    self_check: bool,
    web: bool,
    web_port: int,
) -> int:
    """Run each SCENARIO (a file, or a name of the catalogue) against the target.

    \b
    harness run provider-outage
    harness run provider-outage --set phases.outage.for=10s --out reports/try
    harness run steady-load --target new.yaml --against old.yaml
    """
    from harness.cli.asked import asked_rows, asked_target
    from harness.cli.limit_run import limit_asked, run_limit
    from harness.cli.live_serving import live_page
    from harness.cli.live_view import LiveView
    from harness.cli.paired_run import PairWords, Shared, compare_versions, refuse_beside_pairs
    from harness.cli.summary import print_verdict
    from harness.run.interruption import Interruption
    from harness.run.one_stack import end_if_broken, ended_after
    from harness.run.pair import Rendezvous
    from harness.run.places import default_out, history_path, new_run_id, point_latest
    from harness.run.session import (
        RunRequest,
        RunResult,
        exit_code_of,
        plan_all,
        run_scenario,
        worst_exit_code,
        write_run_index,
    )
    from harness.scenario import ScenarioFile

    rows, one_stack = asked_rows(scenarios, bundle, overrides)
    limit = limit_asked([row.file for row in rows])
    times = repeated(rows, seed, 1 if limit is not None else repeat)
    alone = len(times) == 1 and limit is None and bundle is None
    parent = None if alone else (out or default_out(new_run_id("several")))
    if parent is not None and parent.exists() and any(parent.iterdir()):
        raise ConfigurationError(f"{parent}: not an empty directory; --out takes an absent or empty one")
    gathering = gathering_of(expect_workers, bind, max_wait, token_file, web_port if web else None)

    stack, target_of = asked_target(target, seed, service, shared=parent if one_stack and not fresh_stacks else None)

    def request_of(file: ScenarioFile, place: Path | None, seeded: int = seed) -> RunRequest:
        return RunRequest(
            scenario=file,
            target=target_of(seeded),
            seed=seeded,
            out=place,
            labels=parse_labels(labels),
            rehearsal=not no_rehearsal,
            workers=expect_workers or workers,
            gathering=gathering,
            history=history_path(out),
            baseline=baseline,
            rendezvous=None if pair is None else Rendezvous.parse(pair),
        )

    asked = [
        replace(
            request_of(row.file, out if parent is None else parent / f"{number:02d}-{row.file.document.name}", seeded),
            instead=row.parts,
            reference_only=row.reference_only,
        )
        for number, (row, seeded) in enumerate(times, start=1)
    ]
    if against is not None:
        refuse_beside_pairs(
            len(rows),
            {
                "find_limit": limit is not None,
                "--baseline": baseline is not None,
                "--repeat": repeat > 1,
                "--deadline": deadline is not None,
                "--live": live,
                "--self-check": self_check,
                "--expect-workers or --web": expect_workers > 0 or web,
            },
        )
        return compare_versions(
            asked[0],
            PairWords(newer=target, older=against, service=service, against_service=against_service, block=block),
            Shared(overrides=overrides, labels=labels, seed=seed, workers=workers, rehearsal=not no_rehearsal),
            as_json=as_json,
        )
    if against_service:
        raise ConfigurationError("--against-service sets up the version that --against names")
    # Every scenario must be sound before the first one starts.
    requests, plans, left_out = plan_all(asked, bundle, say=lambda text: click.echo(text, err=True))
    within_ns = deadline_ns(deadline, plans)
    if self_check:
        say_what_is_carried(plans, workers)

    terminal = sys.stderr.isatty()
    with Interruption() as interruption, live_page(live_port if live else None) as page, ended_after(stack, interruption):
        if within_ns is not None:
            interruption.end_after(within_ns / 1e9, str(deadline))

        def execute(request: RunRequest) -> RunResult:
            result = run_scenario(
                request,
                interruption=interruption,
                view=lambda run, plan: LiveView(run, plan, sys.stderr, terminal=terminal, page=page),
                say=lambda text: click.echo(text, err=True),
            )
            end_if_broken(stack, result.run, interruption)
            if result.verdict is not None:
                print_verdict(result.verdict, result.run, sys.stderr, colour=_colour(sys.stderr))
            return result

        if limit is not None and parent is not None:
            results, found = run_limit(scenarios[0], overrides, limit, parent, request_of=request_of, execute=execute)
            click.echo(f"\n{found.sentence()}\n  all runs are in {parent}", err=True)
            return 0 if found.met_rps is not None else worst_exit_code(results, strict=strict)
        series = run_series(
            requests,
            execute,
            interruption=interruption,
            ends=lambda result: fail_fast and exit_code_of(result, strict=strict) != 0,
        )
    if parent is not None:
        write_run_index(parent, series.results, left_out)
        if out is None:
            point_latest(parent)
    _tell(series, repeat, as_json=as_json)
    return series.exit_code(strict=strict)


def _tell(series: Series, repeat: int, *, as_json: bool) -> None:
    tell_pipeline(series.results)
    if repeat > 1:
        click.echo(repeated_text(series.results, repeat), err=True)
    if as_json:
        verdicts = [(result.run.path / "verdict.json").read_text() for result in series.results if result.verdict]
        click.echo(json.dumps([json.loads(text) for text in verdicts], indent=1))


def _colour(stream: TextIO) -> bool:
    import os

    return stream.isatty() and not os.environ.get("NO_COLOR")
