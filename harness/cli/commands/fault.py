"""`harness fault`: see, add and clear faults of what is live, from a second terminal."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from harness.run.live_runs import LiveRun

_RUN = click.option("--run", "run", metavar="RUN", help="Which live run, by its name or pid; see harness ps.")


@click.group("fault")
def command() -> None:
    """See, add and clear faults of a live run or of `harness serve`.

    \b
    harness fault add redis latency latency=800 --for 30s
    harness fault list
    harness fault clear hand-1-latency-links-redis
    """


@command.command("list")
@_RUN
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_(run: str | None, as_json: bool) -> int:
    """List the faults in force, and the places where there could be some."""
    found = _chosen(run).order({"do": "faults"})
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return 0
    for fault in found["active"]:
        _show(fault)
    if not found["active"]:
        click.echo("no fault is in force", err=True)
    click.echo(f"places: {', '.join(found['places'])}", err=True)
    return 0


@command.command("add")
@click.argument("at")
@click.argument("kind")
@click.argument("parameters", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--for", "for_", default="30s", show_default=True, help="It falls away after so long.")
@click.option(
    "--plugin",
    "plugins",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A plug-in file that brings KIND, where the live run does not have it: the run imports it.",
)
@_RUN
def add(at: str, kind: str, parameters: tuple[str, ...], for_: str, plugins: tuple[Path, ...], run: str | None) -> int:
    """Put a fault of KIND in force AT a place: `links.redis`, or `redis` where the kind leaves no doubt.

    Kinds of plug-ins are known from the live run's scenario, from installed packages, and from --plugin.
    """
    from harness.extensions.by_hand import adopt_files, adopt_installed
    from harness.model.fault_kinds import adopt, check_fault, own_places
    from harness.model.fault_kinds.told import kind_from_document
    from harness.model.fault_words import find_place, read_parameters
    from harness.model.units import NS_PER_S, parse_duration_ns
    from harness.run.hand import LONGEST_S

    try:
        for_s = parse_duration_ns(for_) / NS_PER_S
    except ValueError as error:
        raise ConfigurationError(f"--for: {error}") from error
    if not 0 < for_s <= LONGEST_S:
        raise ConfigurationError(f"--for is {for_}; a fault by hand lasts up to {LONGEST_S:.0f} s, and more than 0")
    live = _chosen(run)
    found = live.order({"do": "faults"})
    adopt(kind_from_document(each) for each in found["plugins"])
    adopt_files(plugins, imports=False)
    adopt_installed(kind)
    values = read_parameters(kind, parameters)
    places = sorted({*found["places"], *own_places()})
    place = find_place(at, kind, places)
    if problems := check_fault(place, kind, values, places):
        raise ConfigurationError(*problems)
    fault = {"at": place, "kind": kind, "parameters": values, "for_s": for_s}
    _show(live.order({"do": "add", "fault": fault, "plugins": [str(path.resolve()) for path in plugins]}))
    return 0


@command.command("clear")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "every", is_flag=True, help="Every fault in force.")
@_RUN
def clear(ids: tuple[str, ...], every: bool, run: str | None) -> int:
    """Take faults away, and see that they are gone."""
    if bool(ids) == every:
        raise ConfigurationError("name the faults to clear, or --all", advice="see: harness fault list")
    live = _chosen(run)
    there = [fault["id"] for fault in live.order({"do": "faults"})["active"]]
    if unknown := [each for each in ids if each not in there]:
        names = f"there are {', '.join(there)}{did_you_mean(unknown[0], there)}" if there else "nothing is"
        raise ConfigurationError(f"no fault {unknown[0]!r} is in force; {names}")
    cleared = live.order({"do": "clear", "ids": list(ids)})
    for fault_id in cleared:
        click.echo(f"{fault_id} is cleared")
    if not cleared:
        click.echo("no fault is in force")
    return 0


@command.command("shrink")
@click.argument("scenario")
@click.option("--seed", default=1, type=click.IntRange(0, 2**31 - 1), show_default=True, help="Of each run.")
@click.option("--at-most", default=20, type=click.IntRange(1, 500), show_default=True, help="How many runs it may take.")
@click.option("--service", multiple=True, metavar="SETTING=VALUE", help="A setting of the embedded service: fallback=off")
def shrink_(scenario: str, seed: int, at_most: int, service: tuple[str, ...]) -> int:
    """Run SCENARIO with ever fewer of its faults, to find the fewest with which it still fails."""
    import sys

    from harness.cli.live_view import LiveView
    from harness.cli.options import make_target
    from harness.run.interruption import Interruption
    from harness.run.session import RunRequest
    from harness.run.shrinking import fewest_faults
    from harness.scenario import find_scenario, read_scenario

    request = RunRequest(
        scenario=read_scenario(find_scenario(scenario)), target=make_target("embedded", seed, service), seed=seed
    )
    with Interruption() as interruption:
        found = fewest_faults(
            request,
            interruption=interruption,
            view=lambda run, plan: LiveView(run, plan, sys.stderr, terminal=False),
            say=lambda text: click.echo(text, err=True),
            at_most=at_most,
        )
    for fault in found:
        click.echo(f"{fault.id}  {fault.kind} at {fault.at}  from {fault.apply_ns / 1e9:g} s to {fault.clear_ns / 1e9:g} s")
    return 0


def _chosen(name: str | None) -> "LiveRun":
    from harness.run.live_runs import choose, live_runs
    from harness.target.supervise import default_state_directory

    return choose(live_runs(default_state_directory()), name)


def _show(fault: dict[str, object]) -> None:
    parameters = fault["parameters"]
    assert isinstance(parameters, dict)
    given = " ".join(f"{name}={value}" for name, value in parameters.items())
    left = "" if fault["left_s"] is None else f"  {fault['left_s']} s left"
    click.echo(f"{fault['id']}  {fault['kind']} at {fault['at']}  {given}{left}".rstrip())
