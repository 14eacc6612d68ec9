"""How long a fault takes from requested to confirmed: `python benchmarks/fault_confirmation.py [TIMES] [KIND ...]`.

Starts the embedded proxy, the simulated provider, a small process and a guardian, applies and clears each kind of fault
TIMES times (default 100), and prints p50 and p99 of each beside its goal: 50 ms at links and provider, 500 ms at
processes, 2 s at containers. Containers where an engine answers and has the image `alpine` (HARNESS_BENCH_IMAGE).
Returns 1 where a p99 is above its goal.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from harness.faults import FaultInjector, Guardian
from harness.faults.procfs import bound
from harness.model.fault import Fault, Layer, Scalar
from harness.model.fault_kinds import FAULT_KINDS
from harness.model.journal import Event
from harness.model.target import ContainerHandle, Landscape, Link, ProcessHandle

GOAL_MS = {Layer.TRANSPORT: 50.0, Layer.PROVIDER: 50.0, Layer.PROCESS: 500.0, Layer.RESOURCE: 500.0}
CONTAINER_GOAL_MS = 2000.0
PARAMETERS: dict[str, dict[str, Scalar]] = {
    "latency": {"latency": 800},
    "bandwidth": {"rate": 0},
    "slow_close": {"delay": 500},
    "slicer": {"average_size": 10},
    "limit_data": {"bytes": 0},
    "cpu_limit": {"cores": 0.5},
    "memory_limit": {"megabytes": 64},
    "file_descriptors": {"spare": 5},
}
LEFT_OUT = frozenset({"crash_loop", "cpu_burn", "memory_fill", "disk_full"})
"""A loop is confirmed by its first death, as a kill is; the others are of the machine and not of a target."""
ENGINE = "/var/run/docker.sock"
SLEEPS = [sys.executable, "-c", "import time; time.sleep(3600)"]


class Moments:
    """When what happened, since the last `begin`."""

    def __init__(self) -> None:
        self.of: dict[Event, list[int]] = {}

    def begin(self) -> None:
        """Forget what was."""
        self.of = {}

    def record(self, event: Event, _subject: str, /, **_data: object) -> None:
        """Take an entry of the journal."""
        self.of.setdefault(event, []).append(time.monotonic_ns())


@dataclass(slots=True)
class Stand:
    """What is broken. containers: none where no engine answers."""

    landscape: Landscape
    places: dict[Layer, str]
    container: str | None = None
    started: list["subprocess.Popen[bytes]"] = field(default_factory=list)


def main() -> int:
    """Measure and print."""
    words = sys.argv[1:]
    times = int(words.pop(0)) if words and words[0].isdigit() else 100
    above = []
    with tempfile.TemporaryDirectory() as directory, _standing() as stand:
        guardian, moments = Guardian.start(Path(directory)), Moments()
        injector = FaultInjector(stand.landscape, moments.record, guardian=guardian)
        for kind in FAULT_KINDS.values():
            at = stand.places.get(kind.layer)
            goal_ms = GOAL_MS.get(kind.layer, 0.0)
            if kind.places == ("containers.*",):
                at, goal_ms = stand.container, CONTAINER_GOAL_MS
            if at is None or kind.kind in LEFT_OUT or (words and kind.kind not in words):
                continue
            if not _measure(injector, moments, kind.kind, at, goal_ms, times):
                above.append(kind.kind)
        if stand.container is not None:
            at = stand.container.replace("containers.", "processes.")
            above += [
                f"{name} of a container"
                for name in ("freeze", "kill")
                if not words or name in words
                if not _measure(injector, moments, name, at, CONTAINER_GOAL_MS, min(times, 20))
            ]
        guardian.stop()
    print(f"above their goal: {', '.join(above) or 'none'}")
    return 1 if above else 0


@contextlib.contextmanager
def _standing() -> Iterator[Stand]:
    started = [
        subprocess.Popen([sys.executable, "-m", *words], stdout=subprocess.PIPE)
        for words in (("harness.faultproxy", "--port", "0"), ("harness.provider",))
    ]
    container = _container()
    try:
        proxy, provider = (json.loads(process.stdout.readline()) for process in started if process.stdout is not None)
        api, upstream = f"http://{proxy['api']}", provider["endpoints"]["primary"]
        body = {"name": "p", "listen": "127.0.0.1:0", "upstream": upstream}
        listen = httpx.post(f"{api}/proxies", json=body, trust_env=False).json()["listen"]
        link = Link(name="provider.primary", proxy="p", toxiproxy_url=api, listen=listen, upstream=upstream)

        def start_again(_name: str) -> ProcessHandle:
            process = subprocess.Popen(SLEEPS)
            started.append(process)
            now = bound(process.pid)
            assert now is not None
            return ProcessHandle(name="sleeper", pid=now.pid, start_ticks=now.start_ticks)

        landscape = Landscape(
            links={link.name: link},
            provider_control_url=f"http://{provider['control']}",
            processes={"sleeper": start_again("sleeper")},
            start_again=start_again,
            containers={} if container is None else {"sandbox": container},
            await_ready=lambda _name: None,
        )
        places = {Layer.TRANSPORT: link.name, Layer.PROVIDER: link.name}
        places |= {Layer.PROCESS: "processes.sleeper", Layer.RESOURCE: "processes.sleeper"}
        yield Stand(landscape, places, None if container is None else "containers.sandbox", started)
    finally:
        for process in started:
            process.kill()
            process.wait()
        if container is not None:
            subprocess.run(["docker", "rm", "-f", container.container_id], stdout=subprocess.DEVNULL, check=False)


def _container() -> ContainerHandle | None:
    """Start a container that sleeps; None where there is no engine, or it does not have the image (nothing is pulled)."""
    image = os.environ.get("HARNESS_BENCH_IMAGE", "alpine")
    command = ["docker", "run", "-d", "--init", "--pull", "never", image, "sleep", "3600"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0:
        print(f"no containers: {done.stderr.strip()[:120]}", file=sys.stderr)
        return None
    return ContainerHandle(name="sandbox", container_id=done.stdout.strip(), engine=f"unix://{ENGINE}")


def _measure(injector: FaultInjector, moments: Moments, kind: str, at: str, goal_ms: float, times: int) -> bool:
    """Print the line of one kind; return whether its p99 keeps to the goal."""
    moments.begin()
    parameters = PARAMETERS.get(kind, {})
    for number in range(times):
        fault = Fault(id=f"{kind}-{number}", at=at, kind=kind, phase="p", apply_ns=0, clear_ns=1, parameters=parameters)
        injector.apply(fault)
        injector.clear(fault.id)
    confirmed = _took_ms(moments.of, Event.FAULT_REQUESTED, Event.FAULT_CONFIRMED)
    clear = _took_ms(moments.of, Event.FAULT_CLEARED, Event.FAULT_PROVED_CLEAR)
    p99_ms = _p99(confirmed)
    told = "" if p99_ms <= goal_ms else f"   above {goal_ms:g} ms"
    print(
        f"{kind:18} {at:18} confirmed p50 {confirmed[len(confirmed) // 2]:7.1f} ms   p99 {p99_ms:7.1f} ms"
        f"   proved clear p99 {_p99(clear):7.1f} ms{told}",
        flush=True,
    )
    return p99_ms <= goal_ms


def _took_ms(moments: dict[Event, list[int]], first: Event, last: Event) -> list[float]:
    return sorted((b - a) / 1e6 for a, b in zip(moments[first], moments[last], strict=True))


def _p99(took_ms: list[float]) -> float:
    return took_ms[-(-len(took_ms) * 99 // 100) - 1]


if __name__ == "__main__":
    raise SystemExit(main())
