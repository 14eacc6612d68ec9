"""How long a fault takes from requested to confirmed: `python benchmarks/fault_confirmation.py [TIMES]`.

Starts the embedded proxy, the simulated provider and a guardian, applies and clears each of three faults TIMES times
(default 100) and prints p50 and p99. Goal: p99 of 50 ms.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from harness.faults import FaultInjector, Guardian
from harness.model.fault import Fault, Scalar
from harness.model.journal import Event
from harness.model.target import Landscape, Link

FAULTS: dict[str, dict[str, Scalar]] = {"timeout": {}, "latency": {"latency": 800}, "down": {}, "status": {"code": 429}}


def main() -> None:
    """Measure and print."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    started = [
        subprocess.Popen([sys.executable, "-m", *words], stdout=subprocess.PIPE)
        for words in (("harness.faultproxy", "--port", "0"), ("harness.provider",))
    ]
    try:
        proxy, provider = (json.loads(process.stdout.readline()) for process in started if process.stdout is not None)
        api, upstream = f"http://{proxy['api']}", provider["endpoints"]["primary"]
        body = {"name": "p", "listen": "127.0.0.1:0", "upstream": upstream}
        listen = httpx.post(f"{api}/proxies", json=body, trust_env=False).json()["listen"]
        link = Link(name="provider.primary", proxy="p", toxiproxy_url=api, listen=listen, upstream=upstream)
        landscape = Landscape(links={link.name: link}, provider_control_url=f"http://{provider['control']}")
        with tempfile.TemporaryDirectory() as directory:
            guardian = Guardian.start(Path(directory))
            for kind, parameters in FAULTS.items():
                _measure(FaultInjector, landscape, guardian, kind, parameters, times)
            guardian.stop()
    finally:
        for process in started:
            process.terminate()
            process.wait()


def _measure(
    make: type[FaultInjector], landscape: Landscape, guardian: Guardian, kind: str, parameters: dict[str, Scalar], times: int
) -> None:
    moments: dict[Event, list[int]] = {}

    def record(event: Event, _subject: str, /, **_data: object) -> None:
        moments.setdefault(event, []).append(time.monotonic_ns())

    injector = make(landscape, record, guardian=guardian)
    for number in range(times):
        fault = Fault(
            id=f"{kind}-{number}", at="provider.primary", kind=kind, phase="p", apply_ns=0, clear_ns=1, parameters=parameters
        )
        injector.apply(fault)
        injector.clear(fault.id)
    for text, first, last in (
        ("confirmed", Event.FAULT_REQUESTED, Event.FAULT_CONFIRMED),
        ("proved clear", Event.FAULT_CLEARED, Event.FAULT_PROVED_CLEAR),
    ):
        took = sorted((b - a) / 1e6 for a, b in zip(moments[first], moments[last], strict=True))
        print(f"{kind:10} {text:13} p50 {took[len(took) // 2]:6.1f} ms   p99 {took[-(-len(took) * 99 // 100) - 1]:6.1f} ms")


if __name__ == "__main__":
    main()
