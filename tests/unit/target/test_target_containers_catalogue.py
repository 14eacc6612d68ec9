"""Every scenario of the catalogue plans on containers as it stands."""

import re
from pathlib import Path

import pytest

from harness.errors import ConfigurationError
from harness.model.target import Target
from harness.run.session import RunRequest, plan_scenario
from harness.scenario import find_scenario, read_scenario
from harness.target.compose import ComposeTarget
from harness.target.containers import ContainersTarget
from harness.target.embedded import EmbeddedTarget

CATALOGUE = sorted(path.stem for path in (Path(__file__).parents[3] / "scenarios").glob("*.yaml"))


DEPLOYS = dict.fromkeys(("rolling-restart", "blue-green", "blue-green-bad", "gate-operations"), r"deploys\.service")
"""Instances of a compose project are replaced by whoever keeps it: `docs/containers.md`."""

NOT_OFFERED = {
    "containers": {},
    # A store that is told to forget or to refuse must be spoken to, and the compose file publishes none; nor does it give its
    # instances a clock that can be moved.
    "compose": DEPLOYS
    | {
        "clocks-ahead": r"clocks\.service-a",
        "valkey-flushed": r"dependencies\.redis",
        "pool-exhausted": r"dependencies\.postgres",
        "search-locked": r"dependencies\.postgres",
    },
}


@pytest.mark.parametrize("name", CATALOGUE)
@pytest.mark.parametrize("target", [ContainersTarget(), ComposeTarget()], ids=["containers", "compose"])
def test_a_scenario_of_the_catalogue_plans_without_a_change(name: str, target: Target) -> None:
    request = RunRequest(scenario=read_scenario(find_scenario(name), ()), target=target)
    if (place := NOT_OFFERED[target.offer().reference.kind].get(name)) is not None:
        deploys = rf"nobody here knows how the compose target is deployed, so no fault can be put at {place}$"
        with pytest.raises(
            ConfigurationError, match=deploys if name in DEPLOYS else rf"'{place}', which the target does not offer"
        ):
            plan_scenario(request)
        return
    plan = plan_scenario(request)
    assert plan.target.kind == target.offer().reference.kind
    assert plan.phases


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_check_of_the_catalogue_that_is_made_on_the_embedded_stack_is_made_on_containers(name: str) -> None:
    told = [
        [
            (check.id, (check.not_offered or "").replace(target.offer().reference.kind, "this"))
            for check in plan_scenario(RunRequest(scenario=read_scenario(find_scenario(name), ()), target=target)).checks
        ]
        for target in (ContainersTarget(), EmbeddedTarget())
    ]
    assert told[0] == told[1]


def test_all_that_can_be_broken_on_the_embedded_stack_can_be_broken_on_containers() -> None:
    assert EmbeddedTarget().offer().places <= ContainersTarget().offer().places


def test_compose_has_done_what_containers_have_done_but_what_its_file_gives_no_hand_on() -> None:
    here, there = (
        {name for name in target.offer().capabilities if name.startswith("actions.")}
        for target in (ComposeTarget(), ContainersTarget())
    )
    assert there - here == {f"actions.{name}" for name in ("set-feature", "kill-feature", "roll-out", "fill-global-window")}
    assert here < there


def test_the_page_says_of_every_scenario_what_compose_cannot_be_put_to() -> None:
    page = (Path(__file__).parents[3] / "docs/containers.md").read_text(encoding="utf-8")
    _, _, table = page.partition("## What runs where")
    rows = [line for line in table.partition("\n\n`--service")[0].splitlines() if line.startswith("| `")]
    written = {name: row.split("|")[3] for row in rows for name in re.findall(r"`([a-z-]+)`", row.split("|")[1])}
    target = ComposeTarget()
    for name in CATALOGUE:
        if (place := NOT_OFFERED["compose"].get(name)) is not None:
            assert f"refused (2): no `{place.replace(chr(92), '')}`" in written.pop(name)
            continue
        plan = plan_scenario(RunRequest(scenario=read_scenario(find_scenario(name), ()), target=target))
        assert ("not_applicable" in written.pop(name, "")) == any(check.not_offered for check in plan.checks), name
    assert written == {}, "a scenario that is none"
