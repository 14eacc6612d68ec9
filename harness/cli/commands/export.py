"""`harness export`: a run's figures in other people's formats."""

import json
from pathlib import Path

import click

from harness.errors import ConfigurationError

_FORMATS = ("prometheus", "otlp", "openslo", "grafana")


@click.command("export")
@click.argument("what", metavar="[DIR|SCENARIO]", default="reports/latest")
@click.option("--format", "format_", type=click.Choice(_FORMATS), default="prometheus", show_default=True, help="What to write.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="A file; standard output by default.")
def command(what: str, format_: str, out: Path | None) -> int:
    """Write the run in DIR (reports/latest by default) as metrics, or its objectives (or a SCENARIO's) as OpenSLO.

    The format `grafana` is a dashboard over what was exported to Prometheus; it needs no run.

    \b
    harness export --format prometheus --out /var/lib/node_exporter/harness.prom
    harness export --format otlp | curl -H 'Content-Type: application/json' --data-binary @- http://127.0.0.1:4318/v1/metrics
    harness export provider-outage --format openslo > slo.yaml
    harness export --format grafana > harness-runs.json
    """
    from harness.rundir.files import write_named

    match format_:
        case "grafana":
            text = _dashboard()
        case "openslo":
            text = _openslo(what)
        case _:
            text = _metrics(Path(what), format_)
    if out is None:
        click.echo(text, nl=False)
    else:
        write_named(out, text.encode())
        click.echo(out, err=True)
    return 0


def _dashboard() -> str:
    from harness.export.grafana import dashboard

    return json.dumps(dashboard(), indent=1) + "\n"


def _metrics(directory: Path, format_: str) -> str:
    from harness.export import families_of, to_otlp, to_prometheus
    from harness.measure import read_run
    from harness.rundir import RunDirectory

    run = RunDirectory.open(directory)
    reading, verdict = read_run(run), run.verdict()
    families = families_of(reading, verdict)
    plan = reading.plan
    if format_ == "prometheus":
        return to_prometheus(families, {"run": plan.run_id, "scenario": plan.scenario.name, "target": plan.target.name})
    resource = {
        "service.name": "harness",
        "service.version": plan.harness_version,
        "harness.run.id": plan.run_id,
        "harness.scenario": plan.scenario.name,
        "harness.target": plan.target.name,
        **({"harness.target.version": plan.target.version} if plan.target.version else {}),
    }
    start_ns = plan.clock.zero_wall_ns if plan.clock is not None else 0
    return json.dumps(to_otlp(families, resource, start_ns=start_ns, end_ns=start_ns + plan.end_ns), indent=1) + "\n"


def _openslo(what: str) -> str:
    import yaml

    from harness.cli.options import make_target
    from harness.export import openslo_of
    from harness.run.session import RunRequest, plan_scenario
    from harness.rundir import RunDirectory
    from harness.scenario import find_scenario, read_scenario

    if Path(what).is_dir():
        plan = RunDirectory.open(Path(what)).read_plan()
    else:
        plan = plan_scenario(RunRequest(scenario=read_scenario(find_scenario(what)), target=make_target("embedded", 1)))
    documents = openslo_of(plan)
    if len(documents) == 1:
        raise ConfigurationError(f"{what}: none of its objectives is a share that OpenSLO can say")
    return str(yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, width=120))
