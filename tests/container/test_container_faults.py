"""Faults on the stack of containers: each is confirmed, seen to act, and gone afterwards."""

import socket
import time
from email.utils import parsedate_to_datetime

import httpx
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


def answers(stack, name):
    """Whether anybody answers at a container's published port: asked by a client who knows no engine."""
    if name == "service-a":
        url = next(each.base_url for each in stack.instances if each.name == "a")
        try:
            return httpx.get(f"{url}/live", timeout=1.0, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False
    host, _, port = stack.landscape.dependencies[f"dependencies.{name}"].address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1.0) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(10) != b""
    except OSError:
        return False


def served(stack):
    """Whether users of the whole stack are answered."""
    with Traffic(stack) as traffic:
        time.sleep(1.5)
    return 200 in traffic.statuses[-3:]


@pytest.mark.parametrize("kind", ["freeze", "kill", "terminate"])
@pytest.mark.parametrize("name", ["service-a", "redis"])
def test_a_container_that_was_frozen_or_ended_is_silent_and_answers_again(injector, stack, kind, name):
    assert answers(stack, name)
    with Traffic(stack):
        injector.apply(fault(f"processes.{name}", kind))
        assert not answers(stack, name)
        injector.clear(f"{kind}-processes-{name}")
    assert answers(stack, name)
    assert served(stack)
    assert injector.steps.acted() == 1


@pytest.mark.parametrize("name", ["service-a", "redis"])
def test_a_restarted_container_runs_another_process_at_once(engine, injector, stack, name):
    def began():
        code, said = engine.execute(stack.landscape.containers[name].container_id, ["cat", "/proc/1/stat"])
        return int(said.rpartition(")")[2].split()[19]) if code == 0 else None

    before = began()
    with Traffic(stack):
        injector.apply(fault(f"processes.{name}", "restart"))
        assert answers(stack, name)
        assert began() > before
        injector.clear(f"restart-processes-{name}")
    assert served(stack)
    assert injector.steps.acted() == 1


def inside(engine, stack, name, program):
    """Return what a Python program ends with and says in a container: it has what the container has, and no more."""
    return engine.execute(stack.landscape.containers[name].container_id, ["python", "-c", program])


SHARE = """
import time
began, used = time.monotonic(), time.process_time()
while time.monotonic() - began < 0.8:
    pass
print((time.process_time() - used) / (time.monotonic() - began))
"""


def test_a_container_short_of_cpu_gets_its_share_and_no_more(engine, injector, stack):
    injector.apply(fault("containers.service-b", "cpu_limit", cores=0.1))
    short = float(inside(engine, stack, "service-b", SHARE)[1])
    assert short < 0.25
    injector.clear("cpu_limit-containers-service-b")
    assert max(float(inside(engine, stack, "service-b", SHARE)[1]) for _ in range(3)) > 2 * short


GROW = """
open("/proc/self/oom_score_adj", "w").write("1000")  # whoever must go, it is this process
print(len(b"x" * (400 << 20)))
"""


def test_a_container_short_of_memory_cannot_grow(engine, injector, stack):
    injector.apply(fault("containers.service-b", "memory_limit", megabytes=256))
    assert inside(engine, stack, "service-b", GROW) == (137, "")
    injector.clear("memory_limit-containers-service-b")
    assert inside(engine, stack, "service-b", GROW) == (0, f"{400 << 20}\n")


WHERE = "import socket; print(socket.gethostbyname('toxiproxy'))"
REACH = "import socket; socket.create_connection(('{}', 6379), 2)"
"""By its number: to ask for a name takes a resolver's patience where there is no network."""


@pytest.mark.parametrize("name", ["worker", "service-b"])
def test_a_container_without_its_network_reaches_nobody(engine, injector, stack, name):
    reach = REACH.format(inside(engine, stack, name, WHERE)[1].strip())
    assert inside(engine, stack, name, reach) == (0, "")
    injector.apply(fault(f"containers.{name}", "disconnect"))
    assert inside(engine, stack, name, reach)[0] == 1
    injector.clear(f"disconnect-containers-{name}")
    assert inside(engine, stack, name, reach) == (0, "")


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


def off_s(stack, name):
    """How far from ours an instance's clock is, by the date of what it answers."""
    url = next(each.base_url for each in stack.instances if each.name == name)
    told = httpx.get(f"{url}/live", timeout=2.0, trust_env=False).headers["date"]
    return parsedate_to_datetime(told).timestamp() - time.time()


def test_the_clock_of_one_instance_is_wrong_and_true_again_also_where_it_was_ended_meanwhile(injector, stack):
    wrong = fault("clocks.service-a", "clock_skew", offset=7200)
    injector.apply(wrong)
    assert off_s(stack, "a") == pytest.approx(7200, abs=3)
    assert off_s(stack, "b") == pytest.approx(0, abs=3)
    injector.clear(wrong.id)
    assert off_s(stack, "a") == pytest.approx(0, abs=3)
    injector.apply(wrong)
    ended = fault("processes.service-a", "kill")
    injector.apply(ended)
    assert injector.clear_all() == []
    assert off_s(stack, "a") == pytest.approx(0, abs=3)


def test_what_the_engine_broke_is_healed_by_the_guardian_when_control_is_gone(engine, stack, tmp_path):
    guardian = Guardian.start(tmp_path)
    injector = FaultInjector(stack.landscape, Steps(), guardian=guardian)
    injector.apply(fault("processes.service-a", "freeze"))
    injector.apply(fault("processes.worker", "kill"))
    injector.apply(fault("clocks.service-b", "clock_skew", offset=-7200))
    assert off_s(stack, "b") == pytest.approx(-7200, abs=3)
    handles = stack.landscape.containers
    guardian._hang_up("this test closes the pipe as the end of control would")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and guardian._process.poll() is None:
        time.sleep(0.05)
    for name in ("service-a", "worker"):
        state = engine.ask("GET", f"/containers/{handles[name].container_id}/json")["State"]
        assert (state["Running"], state["Paused"]) == (True, False)
    stack.await_ready("worker")
    assert off_s(stack, "b") == pytest.approx(0, abs=3)
