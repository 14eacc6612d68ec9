"""`harness plan`: what a run would do; starts nothing."""

import sys

import click

from harness.cli.options import make_target, parse_labels, scenario_options


@click.command("plan")
@click.argument("scenario")
@scenario_options
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
def command(
    scenario: str,
    target: str,
    seed: int,
    overrides: tuple[str, ...],
    labels: tuple[str, ...],
    service: tuple[str, ...],
    workers: int,
    as_json: bool,
) -> int:
    """Print the timeline of SCENARIO, its requests, the samples that each objective needs, minutes and dollars."""
    from harness.cli.plan_text import plan_text
    from harness.run.session import RunRequest, plan_scenario
    from harness.rundir import codec
    from harness.scenario import find_scenario, read_scenario

    file = read_scenario(find_scenario(scenario), overrides)
    request = RunRequest(
        scenario=file, target=make_target(target, seed, service), seed=seed, labels=parse_labels(labels), workers=workers
    )
    plan = plan_scenario(request)
    if as_json:
        sys.stdout.buffer.write(codec.to_pretty_json(plan))
    else:
        click.echo(plan_text(plan, real_money=bool(request.target.offer().relayed)))
    return 0
