"""`harness drill`: a chaos drill that people watch."""

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import live_options, make_target, parse_labels, scenario_options
from harness.errors import AbortedError, ConfigurationError

if TYPE_CHECKING:
    from harness.run.session import RunRequest


@click.command("drill")
@click.argument("scenario")
@scenario_options
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Where the run goes: an absent or empty directory.")
@click.option("--yes", is_flag=True, help="Ask nobody: every fault is a go. Needed where there is no terminal.")
@click.option("--dry", is_flag=True, help="Only rehearse: each fault once, without load and without questions.")
@live_options
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON on standard output.")
def command(
    scenario: str,
    target: str,
    seed: int,
    overrides: tuple[str, ...],
    labels: tuple[str, ...],
    service: tuple[str, ...],
    workers: int,
    out: Path | None,
    yes: bool,
    dry: bool,
    live: bool,
    live_port: int,
    as_json: bool,
) -> int:
    """Run SCENARIO as a drill: a briefing, go or no-go, the steady state first, and a question before each fault.

    \b
    harness drill provider-outage --target my-gateway.yaml
    harness drill provider-outage --target my-gateway.yaml --dry
    Keys: g go, x stop and heal, t write a note. No answer in time is a no-go. The debrief is debrief.md.
    """
    from harness.cli.briefing_text import briefing
    from harness.cli.drill_desk import Unasked
    from harness.run.places import history_path
    from harness.run.session import RunRequest, plan_scenario
    from harness.scenario import find_scenario, read_scenario

    asking = not (yes or dry)
    if asking and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConfigurationError(
            "a drill asks before each fault, and there is no terminal to ask at", advice="--yes asks nobody; --dry only rehearses"
        )
    request = RunRequest(
        scenario=read_scenario(find_scenario(scenario), overrides),
        target=make_target(target, seed, service),
        seed=seed,
        out=out,
        labels=parse_labels(labels),
        workers=workers,
        history=history_path(out),
        attendant=Unasked(),
    )
    click.echo(briefing(plan_scenario(request), asking=asking) + "\n", err=True)
    if dry:
        return _rehearse(request, as_json=as_json)
    if asking and not click.confirm("start the load? nothing is broken without another go", default=False, err=True):
        raise AbortedError("no-go: nothing was started")
    return _drill(request, asking=asking, live_port=live_port if live else None, as_json=as_json)


def _drill(request: "RunRequest", *, asking: bool, live_port: int | None, as_json: bool) -> int:
    from dataclasses import replace

    from harness.cli.drill_desk import Desk, desk_rows
    from harness.cli.live_serving import live_page
    from harness.cli.live_view import LiveView
    from harness.cli.summary import print_verdict
    from harness.run.interruption import Interruption
    from harness.run.session import exit_code_of, run_scenario

    with contextlib.ExitStack() as stack:
        interruption = stack.enter_context(Interruption())
        page = stack.enter_context(live_page(live_port))
        desk: Desk | None = None
        if asking:
            from harness.cli.drill_keys import Keys

            desk = Desk(stack.enter_context(Keys(sys.stdin.fileno()).listening()))
            request = replace(request, attendant=desk)
        result = run_scenario(
            request,
            interruption=interruption,
            view=lambda run, plan: LiveView(
                run,
                plan,
                sys.stderr,
                terminal=sys.stderr.isatty(),
                below=lambda figures, now_ns: desk_rows(desk, figures, now_ns),
                page=page,
            ),
            say=lambda text: click.echo(text, err=True),
        )
    if result.verdict is not None:
        colour = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
        print_verdict(result.verdict, result.run, sys.stderr, colour=colour)
    for path in (each for each in result.reports if each.name == "debrief.md"):
        click.echo(f"  debrief {path}", err=True)
    if result.trouble is not None:
        click.echo(f"error: {result.trouble}", err=True)
    if as_json and result.verdict is not None:
        click.echo((result.run.path / "verdict.json").read_text("utf-8"), nl=False)
    return exit_code_of(result, strict=False)


def _rehearse(request: "RunRequest", *, as_json: bool) -> int:
    from harness.errors import ExitCode
    from harness.run.dry import dry_run
    from harness.run.interruption import Interruption
    from harness.run.session import plan_to_run
    from harness.target.supervise import default_state_directory

    with Interruption() as interruption:
        done = dry_run(
            plan_to_run(request),
            request.target,
            interruption=interruption,
            state_directory=default_state_directory(),
            say=lambda text: click.echo(text, err=True),
        )
    for each in done:
        what = f"{each.fault.kind} at {each.fault.at}"
        told = "can be applied, confirmed, cleared and proved clear" if each.error is None else f"NO: {each.error}"
        click.echo(f"{what}: {told}", err=True)
    if as_json:
        rows = [
            {"at": e.fault.at, "kind": e.fault.kind, "ok": e.error is None, "error": str(e.error or "") or None} for e in done
        ]
        click.echo(json.dumps(rows, indent=1))
    return int(ExitCode.COULD_NOT_RUN) if any(each.error is not None for each in done) else 0
