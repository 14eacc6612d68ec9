"""Every fault of the catalogue can be done to the real stack; that the scenarios plan on it is a unit test."""

from pathlib import Path

from harness.faults import FaultInjector, Guardian, rehearse
from harness.run.session import RunRequest, plan_scenario
from harness.scenario import find_scenario, read_scenario
from harness.target.containers import ContainersTarget

from .conftest import Steps

KILLS_ALL = "alerts-others"
"""Last: what comes next would begin while the balancer still finds every instance gone."""
CATALOGUE = sorted(
    (path.stem for path in (Path(__file__).parents[2] / "scenarios").glob("*.yaml")),
    key=lambda name: (name == KILLS_ALL, name),
)


def faults_of(name):
    return plan_scenario(RunRequest(scenario=read_scenario(find_scenario(name), ()), target=ContainersTarget())).faults


def what_of(fault):
    return fault.at, fault.kind, frozenset(fault.parameters.items())


def test_every_fault_of_the_catalogue_can_be_done_and_undone_on_the_stack(stack, tmp_path):
    guardian = Guardian.start(tmp_path)
    injector = FaultInjector(stack.landscape, Steps(), guardian=guardian)
    done = set()
    for name in CATALOGUE:
        new = {what_of(fault): fault for fault in faults_of(name) if what_of(fault) not in done}
        rehearse(injector, new.values())
        done |= new.keys()
        for container in stack.landscape.containers if new else ():  # as a run does before its load; all may have been killed
            stack.await_ready(container)
    assert len({(at, kind) for at, kind, _ in done}) > 10
    assert injector.clear_all() == []
    assert guardian.stop() == []
    assert stack.died() == []
