"""`harness run`: run scenarios, judge them, report them."""

import json
import sys
from pathlib import Path
from typing import TextIO

import click

from harness.cli.distribution import distribution_options, gathering_of, say_what_is_carried
from harness.cli.options import make_target, parse_labels, scenario_options
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
    baseline: Path | None,
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
    """
    from harness.cli.limit_run import limit_asked, run_limit
    from harness.cli.live_view import LiveView
    from harness.cli.summary import print_verdict
    from harness.run.interruption import Interruption
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
    from harness.scenario import ScenarioFile, find_scenario, read_scenario
    from harness.scenario.bundles import read_bundle

    if (bundle is None) == (not scenarios):
        raise ConfigurationError("name one or more scenarios, or a --bundle; `harness list scenarios` shows what there is")
    if bundle is not None and overrides:
        raise ConfigurationError("--set changes one scenario; a bundle says itself what it shortens")
    files = read_bundle(bundle) if bundle is not None else [read_scenario(find_scenario(name), overrides) for name in scenarios]
    limit = limit_asked(files)
    parent = None if len(files) == 1 and limit is None else (out or default_out(new_run_id("several")))
    if parent is not None and parent.exists() and any(parent.iterdir()):
        raise ConfigurationError(f"{parent}: not an empty directory; --out takes an absent or empty one")
    gathering = gathering_of(expect_workers, bind, max_wait, token_file, web_port if web else None)

    def request_of(file: ScenarioFile, place: Path | None) -> RunRequest:
        return RunRequest(
            scenario=file,
            target=make_target(target, seed, service),
            seed=seed,
            out=place,
            labels=parse_labels(labels),
            rehearsal=not no_rehearsal,
            workers=expect_workers or workers,
            gathering=gathering,
            history=history_path(out),
            baseline=baseline,
        )

    asked = [
        request_of(file, out if parent is None else parent / f"{number:02d}-{file.document.name}")
        for number, file in enumerate(files, start=1)
    ]
    # Every scenario must be sound before the first one starts.
    requests, plans, left_out = plan_all(asked, bundle, say=lambda text: click.echo(text, err=True))
    if self_check:
        say_what_is_carried(plans, workers)

    terminal = sys.stderr.isatty()
    results: list[RunResult] = []
    with Interruption() as interruption:

        def execute(request: RunRequest) -> RunResult:
            result = run_scenario(
                request,
                interruption=interruption,
                view=lambda run, plan: LiveView(run, plan, sys.stderr, terminal=terminal),
                say=lambda text: click.echo(text, err=True),
            )
            if result.verdict is not None:
                print_verdict(result.verdict, result.run, sys.stderr, colour=_colour(sys.stderr))
            return result

        if limit is not None and parent is not None:
            results, found = run_limit(scenarios[0], overrides, limit, parent, request_of=request_of, execute=execute)
            click.echo(f"\n{found.sentence()}\n  all runs are in {parent}", err=True)
            return 0 if found.met_rps is not None else worst_exit_code(results, strict=strict)
        for request in requests:
            result = execute(request)
            results.append(result)
            if result.trouble is not None:
                click.echo(f"error: {result.trouble}", err=True)
                if result.verdict is not None or any((result.run.path / "samples").glob("*")):
                    click.echo(f"  what was measured so far is in {result.run.path}", err=True)
                break
            if fail_fast and exit_code_of(result, strict=strict) != 0:
                break
    if parent is not None:
        write_run_index(parent, results, left_out)
        if out is None:
            point_latest(parent)
    if as_json:
        click.echo(json.dumps([json.loads((r.run.path / "verdict.json").read_text()) for r in results if r.verdict], indent=1))
    return worst_exit_code(results, strict=strict)


def _colour(stream: TextIO) -> bool:
    import os

    return stream.isatty() and not os.environ.get("NO_COLOR")
