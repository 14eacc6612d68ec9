"""`harness list`: what there is, from the code itself."""

import json

import click

_WHAT = ("scenarios", "faults", "objectives", "checks", "targets", "defects", "schemas")


@click.command("list")
@click.argument("what", type=click.Choice(_WHAT), default="scenarios")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def command(what: str, as_json: bool) -> int:
    """List what there is: scenarios (the default), faults, objectives, checks, targets, defects or schemas."""
    rows = {
        "scenarios": _scenarios,
        "faults": _faults,
        "objectives": _objectives,
        "checks": _checks,
        "targets": lambda: (
            {
                "embedded": "the reference service on PostgreSQL, Valkey and Caddy, started here",
                "containers": "the same from images, with the real Toxiproxy; needs a container engine",
                "compose": "the same, brought up by you with docker compose up",
                "FILE.yaml": "a service of your own, as the file describes it (harness init writes a first one)",
            }
            | _installed("harness.targets")
        ),
        "defects": _defects,
        "schemas": _schemas,
    }[what]()
    if as_json:
        click.echo(json.dumps(rows, indent=1))
    else:
        width = max((len(name) for name in rows), default=0)
        for name, text in rows.items():
            click.echo(f"{name:<{width}}  {text}")
    return 0


def _scenarios() -> dict[str, str]:
    from harness.scenario.catalogue import catalogue_paths, title_of

    return {name: title_of(path) for name, path in catalogue_paths().items()}


def _faults() -> dict[str, str]:
    from harness.model.fault_kinds import FAULT_KINDS

    ours = {name: f"{kind.title} [{kind.layer.value}; at {', '.join(kind.places)}]" for name, kind in FAULT_KINDS.items()}
    return ours | _installed("harness.faults")


def _installed(group: str) -> dict[str, str]:
    """Return what installed packages bring, by entry point; none of it is loaded to be listed."""
    from harness.extensions.installed import installed, source_of

    return {name: f"of {source_of(point)} [{point.value}]" for name, point in installed(group).items()}


def _objectives() -> dict[str, str]:
    from harness.scenario.forms import listed

    return listed() | _installed("harness.objectives")


def _checks() -> dict[str, str]:
    from harness.checks import PLANNERS

    return {name: planner.title for name, planner in PLANNERS.items()} | _installed("harness.checks")


def _defects() -> dict[str, str]:
    from harness.scenario.catchers import CATCHERS
    from harness.target.embedded.defects import planted_defects

    by = {each.defect: f"{each.scenario} must catch it, by {' or '.join(each.results)}" for each in CATCHERS}
    return {name: f"{part.title} [{part.row}; {by.get(name, 'not yet caught')}]" for name, part in planted_defects().items()}


def _schemas() -> dict[str, str]:
    return {
        "harness.plan/1": "plan.json",
        "harness.verdict/1": "verdict.json",
        "harness.extensions/1": "extensions.json",
        "harness.summary/1": "measurements/summary.json",
        "harness.samples/1": "samples/samples.parquet",
        "harness.scrape/1": "metrics/scrapes.jsonl, a line",
        "harness.paired/1": "paired.json of harness run --against",
        "harness.gate/1": "gate.json of harness verify-gate",
        "harness.calls/1": "truth/calls.parquet",
        "harness.probe/1": "exchanges/probes.jsonl, a line",
        "harness.manifest/1": "manifest.json",
        "harness.history/1": "history.jsonl, a line",
        "harness.readiness/1": "readiness.json",
        "harness.signoff/1": "readiness.signoff.jsonl, a line",
        "harness.explanation/1": "harness explain --json",
        "harness.comparison/1": "harness compare --json",
        "harness.trend/1": "harness trend --json",
        "harness.validation/1": "harness validate --json",
        "harness.try/1": "harness try --json",
        "harness.pack/1": "harness pack --json",
        "harness.clean/1": "harness clean --json",
        "harness.init/1": "harness init --json",
        "harness.new/1": "harness new --json",
        "harness.saved/1": "harness baseline save --json",
        "harness.halt/1": "harness halt --json",
        "harness.note/1": "harness note --json",
        "harness.notification/1": "what a listener of `notify` is sent",
    }
