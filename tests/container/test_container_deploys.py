"""Deploys on the stack of containers: seen by clients of the balancer, and gone after clearing without a lost request."""

import json
import time

import httpx
import pytest

from harness.errors import FaultError
from harness.faults import FaultInjector
from harness.model.fault import Fault
from harness.target.containers import label

from .conftest import Steps, Traffic, left_of


def fault(kind, **parameters):
    return Fault(id=f"f-{kind}", at="deploys.service", kind=kind, phase="p", apply_ns=0, clear_ns=1, parameters=parameters)


@pytest.fixture
def injector(stack):
    steps = Steps()
    injector = FaultInjector(stack.landscape, steps)
    injector.steps = steps
    yield injector
    assert injector.clear_all() == []
    assert injector.ended_on_purpose() == frozenset()
    assert stack.died() == []
    assert "service-other" not in stack.site.handles()


def started_at(engine, stack):
    handles = stack.landscape.containers
    return [
        engine.ask("GET", f"/containers/{handles[name].container_id}/json")["State"]["StartedAt"]
        for name in ("service-a", "service-b")
    ]


def versions(stack, count):
    with httpx.Client(base_url=stack.base_url, trust_env=False) as client:
        return [client.get("/live").headers["x-gateway-version"] for _ in range(count)]


def test_a_rolling_restart_replaces_every_instance_and_loses_no_request(engine, stack, injector):
    before = started_at(engine, stack)
    with Traffic(stack) as traffic:
        injector.apply(fault("rolling_restart", pause=0))
        injector.clear("f-rolling_restart")
    assert not set(before) & set(started_at(engine, stack))
    assert set(traffic.statuses) == {200}
    assert injector.steps.acted() == 2


def test_a_switch_to_another_version_and_back_loses_no_request_and_leaves_no_container(engine, stack, injector):
    present = set(versions(stack, 4))
    with Traffic(stack) as traffic:
        injector.apply(fault("blue_green", version="7.7.7"))
        assert set(versions(stack, 8)) == {"7.7.7"}
        assert "service-other" in left_of(engine, {label.STACK: stack.site.stack_id})
        deadline = time.monotonic() + 20
        while stack.landscape.rollout.answered() == 0 and time.monotonic() < deadline:
            time.sleep(0.1)
        injector.clear("f-blue_green")
        assert set(versions(stack, 8)) == present
    assert set(traffic.statuses) == {200}
    assert injector.steps.acted() >= 1
    assert "service-other" not in left_of(engine, {label.STACK: stack.site.stack_id})
    said = stack.site.log("service-other").read_text(encoding="utf-8").splitlines()
    assert any(json.loads(line).get("event") == "ready" for line in said if line.startswith("{"))


def test_a_canary_gets_its_share_only(stack, injector):
    injector.apply(fault("canary", share=0.4, version="bad", defect="done-missing"))
    seen = versions(stack, 60)
    injector.clear("f-canary")
    assert 0.1 < seen.count("bad") / len(seen) < 0.75
    assert "bad" not in versions(stack, 8)


def test_a_version_that_cannot_be_is_a_clear_error_and_nothing_stays(engine, stack, injector):
    with pytest.raises(FaultError, match="SERVICE_DEFECT=no-such is not a planted defect"):
        injector.apply(fault("canary", defect="no-such"))
    assert injector.active() == ()
    assert stack.landscape.rollout.percent() == 0
    assert "service-other" not in left_of(engine, {label.STACK: stack.site.stack_id})
