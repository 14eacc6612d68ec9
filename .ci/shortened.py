"""`shortened.py TARGET NAME`: the settings that make a scenario of the catalogue short, one a line, for `harness run --set`.
`shortened.py TARGET NAME offered`: exit 1 where the target has no such place as the scenario breaks, else 0.

A phase is made short where the plan allows it: what a check, a deploy or an objective needs of it stays.
"""

import sys
from collections.abc import Iterator

from harness.checks import PLANNERS
from harness.cli.options import make_target
from harness.errors import ConfigurationError
from harness.model.target import Offer
from harness.model.units import parse_duration_ns
from harness.scenario import compile_plan, find_scenario, read_scenario
from harness.scenario.document import ScenarioDocument

SHORT = "12s"


def shortened(name: str, offer: Offer) -> list[str]:
    """Return what to set: every phase that may be short by itself and beside those before it."""
    settings: list[str] = []
    for phase in _long(read_scenario(find_scenario(name)).document):
        tried = [*settings, f"phases.{phase}.for={SHORT}"]
        if plans(name, tried, offer):
            settings = tried
    return settings


def offered(name: str, offer: Offer) -> bool:
    """Return whether a target has every place at which a scenario puts a fault."""
    return all(fault.at in offer.places for phase in read_scenario(find_scenario(name)).document.phases for fault in phase.faults)


def plans(name: str, settings: list[str], offer: Offer) -> bool:
    """Return whether a scenario with these settings can be run on a target that offers this."""
    try:
        compile_plan(read_scenario(find_scenario(name), settings), offer, run_id="ci", seed=1, planners=PLANNERS)
    except ConfigurationError:
        return False
    return True


def _long(scenario: ScenarioDocument) -> Iterator[str]:
    """Yield the long phases but those with a check that comes late, those in which an alert must fire, for which its rule
    waits minutes, and a deploy's, whose version takes its seconds to start.
    """
    short_ns = parse_duration_ns(SHORT)
    asked = [(check.during, check.settings()) for check in scenario.checks]
    kept = {during for during, says in asked if "fires" in says or parse_duration_ns(str(says.get("at", "0s"))) >= short_ns}
    for phase in scenario.phases:
        deploys = any(fault.at.startswith("deploys.") for fault in phase.faults)
        if phase.kind != "warmup" and phase.name not in kept and not deploys and phase.for_ > short_ns:
            yield phase.name


if __name__ == "__main__":
    there = make_target(sys.argv[1], 1, ()).offer()
    if sys.argv[3:] == ["offered"]:
        sys.exit(0 if offered(sys.argv[2], there) else 1)
    sys.stdout.write("\n".join(shortened(sys.argv[2], there)) + "\n")
