"""Faults on the stack of containers: each is confirmed, seen to act, and gone afterwards."""

import time

import pytest

from harness.faults import FaultInjector, Guardian
from harness.model.fault import Fault

from .conftest import Steps, Traffic


def fault(at, kind, **parameters):
    return Fault(
        id=f"{kind}-{at.replace('.', '-')}", at=at, kind=kind, phase="outage", apply_ns=0, clear_ns=1, parameters=parameters
    )


@pytest.fixture
def injector(stack, tmp_path):
    steps = Steps()
    guardian = Guardian.start(tmp_path)
    injector = FaultInjector(stack.landscape, steps, guardian=guardian)
    injector.steps = steps
    yield injector
    assert injector.clear_all() == []
    assert guardian.stop() == []
    assert stack.died() == []


def in_force_for(injector, stack, what, seconds):
    with Traffic(stack) as traffic:
        time.sleep(0.5)  # connections that live on from before the fault
        injector.apply(what)
        time.sleep(seconds)
        injector.clear(what.id)
    return traffic


@pytest.mark.parametrize(
    "what",
    [
        fault("provider.primary", "timeout", stream="both"),
        fault("provider.primary", "reset_peer"),
        fault("provider.primary", "down"),
        fault("links.postgres", "latency", latency=30),
        fault("links.redis", "latency", latency=30, jitter=5),
        fault("links.redis", "down"),
        fault("links.postgres", "bandwidth", rate=64),
        fault("dependencies.redis", "read_only"),
        fault("dependencies.postgres", "lock"),
    ],
    ids=lambda what: f"{what.kind} at {what.at}",
)
def test_a_fault_of_link_or_store_under_traffic_is_proved_to_have_acted(injector, stack, what):
    in_force_for(injector, stack, what, 3.0)
    assert injector.steps.acted() >= 1


def test_a_fault_without_any_traffic_is_said_to_have_acted_never(injector, stack):
    what = fault("provider.primary", "latency", latency=100)
    time.sleep(0.5)
    injector.apply(what)
    time.sleep(0.5)
    injector.clear(what.id)
    assert injector.steps.acted() == 0


def test_our_own_probes_through_the_published_port_are_never_counted(injector, stack):
    what = fault("provider.secondary", "timeout", stream="both")
    for _ in range(3):
        injector.apply(what)
        injector.clear(what.id)
        assert injector.steps.acted() == 0


@pytest.mark.parametrize("kind", ["kill", "freeze", "terminate", "restart"])
@pytest.mark.parametrize("name", ["service-a", "redis"])
def test_a_process_fault_is_a_container_fault_here_and_the_stack_answers_afterwards(injector, stack, kind, name):
    what = fault(f"processes.{name}", kind)
    in_force_for(injector, stack, what, 0.8)
    assert injector.steps.acted() == 1
    with Traffic(stack) as traffic:
        time.sleep(1.5)
    assert 200 in traffic.statuses[-3:]


def test_a_killed_database_comes_back_with_what_it_had_committed(injector, stack):
    in_force_for(injector, stack, fault("processes.postgres", "kill"), 0.5)
    deadline = time.monotonic() + 15
    last = []
    while time.monotonic() < deadline and 200 not in last:
        with Traffic(stack) as traffic:
            time.sleep(1)
        last = traffic.statuses[-2:]
    assert 200 in last


@pytest.mark.parametrize(
    "what",
    [
        fault("containers.service-b", "cpu_limit", cores=0.1),
        fault("containers.service-b", "memory_limit", megabytes=256),
        fault("containers.worker", "disconnect"),
        fault("containers.service-b", "disconnect"),
    ],
    ids=lambda what: f"{what.kind} at {what.at}",
)
def test_limits_and_networks_are_as_before_once_the_fault_is_cleared(engine, injector, stack, what):
    handle = stack.landscape.containers[what.at.removeprefix("containers.")]

    def shape():
        found = engine.ask("GET", f"/containers/{handle.container_id}/json")
        host = found["HostConfig"]
        networks = {
            name: sorted(set(part["Aliases"] or ()) - {handle.container_id[:12]})
            for name, part in found["NetworkSettings"]["Networks"].items()
        }
        # 0, -1 and a period without a quota all say "no limit"
        return max(host["CpuQuota"], 0), host["Memory"], networks

    before = shape()
    injector.apply(what)
    during = shape()
    injector.clear(what.id)
    assert during != before
    assert shape() == before
    assert injector.steps.acted() == 1


def test_what_the_engine_broke_is_healed_by_the_guardian_when_control_is_gone(engine, stack, tmp_path):
    guardian = Guardian.start(tmp_path)
    injector = FaultInjector(stack.landscape, Steps(), guardian=guardian)
    injector.apply(fault("processes.service-a", "freeze"))
    injector.apply(fault("processes.worker", "kill"))
    handles = stack.landscape.containers
    guardian._hang_up("this test closes the pipe as the end of control would")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and guardian._process.poll() is None:
        time.sleep(0.05)
    for name in ("service-a", "worker"):
        state = engine.ask("GET", f"/containers/{handles[name].container_id}/json")["State"]
        assert (state["Running"], state["Paused"]) == (True, False)
    stack.await_ready("worker")
