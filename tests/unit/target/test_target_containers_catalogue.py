"""Every scenario of the catalogue plans on containers as it stands."""

from pathlib import Path

import pytest

from harness.model.target import Target
from harness.run.session import RunRequest, plan_scenario
from harness.scenario import find_scenario, read_scenario
from harness.target.compose import ComposeTarget
from harness.target.containers import ContainersTarget

CATALOGUE = sorted(path.stem for path in (Path(__file__).parents[3] / "scenarios").glob("*.yaml"))


@pytest.mark.parametrize("name", CATALOGUE)
@pytest.mark.parametrize("target", [ContainersTarget(), ComposeTarget()], ids=["containers", "compose"])
def test_a_scenario_of_the_catalogue_plans_without_a_change(name: str, target: Target) -> None:
    plan = plan_scenario(RunRequest(scenario=read_scenario(find_scenario(name), ()), target=target))
    assert plan.target.kind == target.offer().reference.kind
    assert plan.phases
