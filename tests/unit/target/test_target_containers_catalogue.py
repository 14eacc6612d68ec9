"""Every scenario of the catalogue plans on containers as it stands."""

from pathlib import Path

import pytest

from harness.errors import ConfigurationError
from harness.model.target import Target
from harness.run.session import RunRequest, plan_scenario
from harness.scenario import find_scenario, read_scenario
from harness.target.compose import ComposeTarget
from harness.target.containers import ContainersTarget

CATALOGUE = sorted(path.stem for path in (Path(__file__).parents[3] / "scenarios").glob("*.yaml"))


NOT_ON_COMPOSE = {"valkey-flushed"}
"""A store that is told to forget must be spoken to, and the compose file publishes none: `docs/containers.md`."""


@pytest.mark.parametrize("name", CATALOGUE)
@pytest.mark.parametrize("target", [ContainersTarget(), ComposeTarget()], ids=["containers", "compose"])
def test_a_scenario_of_the_catalogue_plans_without_a_change(name: str, target: Target) -> None:
    request = RunRequest(scenario=read_scenario(find_scenario(name), ()), target=target)
    if isinstance(target, ComposeTarget) and name in NOT_ON_COMPOSE:
        with pytest.raises(ConfigurationError, match=r"'dependencies\.redis', which the target does not offer"):
            plan_scenario(request)
        return
    plan = plan_scenario(request)
    assert plan.target.kind == target.offer().reference.kind
    assert plan.phases
