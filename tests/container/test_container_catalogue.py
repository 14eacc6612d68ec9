"""Every fault of the catalogue can be done to the real stack; that the scenarios plan on it is a unit test."""

from pathlib import Path

from harness.faults import FaultInjector, Guardian, rehearse
from harness.run.session import RunRequest, plan_scenario
from harness.scenario import find_scenario, read_scenario
from harness.target.containers import ContainersTarget

from .conftest import Steps

NOT_OFFERED = {"clocks-ahead"}
"""A container has the machine's clock: `docs/containers.md`. That it is refused, and no other scenario, is the unit test's."""
CATALOGUE = sorted({path.stem for path in (Path(__file__).parents[2] / "scenarios").glob("*.yaml")} - NOT_OFFERED)


def faults_of(name):
    return plan_scenario(RunRequest(scenario=read_scenario(find_scenario(name), ()), target=ContainersTarget())).faults


def test_every_fault_of_the_catalogue_can_be_done_and_undone_on_the_stack(stack, tmp_path):
    faults = [fault for name in CATALOGUE for fault in faults_of(name)]
    assert len({(fault.at, fault.kind) for fault in faults}) > 10
    guardian = Guardian.start(tmp_path)
    injector = FaultInjector(stack.landscape, Steps(), guardian=guardian)
    rehearse(injector, faults)
    assert injector.clear_all() == []
    assert guardian.stop() == []
    assert stack.died() == []
    for name in stack.landscape.containers:
        stack.await_ready(name)
