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


DEPLOYS = dict.fromkeys(("rolling-restart", "blue-green", "blue-green-bad"), r"deploys\.service")
"""Instances of a compose project are replaced by whoever keeps it: `docs/containers.md`."""

NOT_OFFERED = {
    "containers": {},
    # A store that is told to forget or to refuse must be spoken to, and the compose file publishes none.
    "compose": DEPLOYS | {"valkey-flushed": r"dependencies\.redis", "pool-exhausted": r"dependencies\.postgres"},
}


@pytest.mark.parametrize("name", CATALOGUE)
@pytest.mark.parametrize("target", [ContainersTarget(), ComposeTarget()], ids=["containers", "compose"])
def test_a_scenario_of_the_catalogue_plans_without_a_change(name: str, target: Target) -> None:
    request = RunRequest(scenario=read_scenario(find_scenario(name), ()), target=target)
    if (place := NOT_OFFERED[target.offer().reference.kind].get(name)) is not None:
        with pytest.raises(ConfigurationError, match=rf"'{place}', which the target does not offer"):
            plan_scenario(request)
        return
    plan = plan_scenario(request)
    assert plan.target.kind == target.offer().reference.kind
    assert plan.phases
