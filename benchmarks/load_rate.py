"""One worker against an instant target at a fixed rate: lag, CPU an arrival, what a sample takes.

    python benchmarks/load_rate.py [RATE] [SECONDS]

The target answers at once, on uvloop, in a process of its own; all on loopback. At most 10,000 a second for 30 s.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from harness.measure.close import close_samples
from harness.model.plan import (
    ArrivalProcess,
    ArrivalSegment,
    LoadPlan,
    Phase,
    PhaseKind,
    Plan,
    ScenarioReference,
    TargetReference,
    UserClass,
)
from harness.rundir import RunDirectory

S = 1_000_000_000
BODY = b'{"choices":[{"message":{"content":"ok"}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}'
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(BODY), BODY)


class Instant(asyncio.Protocol):
    """Answers every read that ends a request; each request here fits one read."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.WriteTransport", transport)  # uvloop's does not say so itself

    def data_received(self, data: bytes) -> None:
        """Answer."""
        self.transport.write(ANSWER * data.count(b"POST "))


async def serve() -> None:
    """Serve until killed; print the port."""
    server = await asyncio.get_running_loop().create_server(Instant, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def plan(rate_rps: float, seconds: float) -> Plan:
    """Return Poisson arrivals at a rate."""
    end_ns = round(seconds * S)
    return Plan(
        run_id="bench-abcdefgh",
        created_at="",
        harness_version="",
        scenario=ScenarioReference(name="", title="", path="", digest=""),
        target=TargetReference(kind="external", name=""),
        seed=1,
        phases=(Phase(name="steady", kind=PhaseKind.STEADY, start_ns=0, end_ns=end_ns),),
        load=LoadPlan(
            segments=(ArrivalSegment(process=ArrivalProcess.POISSON, start_ns=0, end_ns=end_ns, rate_rps=rate_rps),),
            mix=(UserClass(name="faq", weight_ratio=1, prompts=("What is {n}?",), model="sim-small"),),
            streamed_ratio=0,
            principals=10,
            request_timeout_ns=5 * S,
            drain_ns=5 * S,
        ),
        faults=(),
        objectives=(),
    )


def run(directory: RunDirectory, port: int) -> int:
    """Drive one worker as the conductor does; return the run's zero on CLOCK_MONOTONIC."""
    keys = {f"user-{number:04d}": "key" for number in range(10)}
    with subprocess.Popen(
        [sys.executable, "-m", "harness.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        print(
            json.dumps({"run_directory": str(directory.path), "base_url": f"http://127.0.0.1:{port}", "keys": keys}),
            file=worker.stdin,
            flush=True,
        )
        worker.stdout.readline()
        zero_ns = time.monotonic_ns() + S // 5
        print(json.dumps({"zero_monotonic_ns": zero_ns}), file=worker.stdin, flush=True)
        worker.stdout.readline()
        worker.wait()
    return zero_ns


@dataclass(frozen=True)
class Rate:
    """What one rate did. Lag and service in milliseconds: p50, p99, most. size: bytes of a sample while running."""

    arrivals: int
    lag_ms: tuple[float, float, float]
    service_ms: tuple[float, float, float]
    cpu_us: float
    size: float
    closed_size: float


def at_rate(rate_rps: float, seconds: float) -> Rate:
    """Return what one worker does at a rate."""
    with (
        tempfile.TemporaryDirectory() as place,
        subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE) as target,
    ):
        assert target.stdout is not None
        directory = RunDirectory.create(Path(place) / "run")
        directory.write_plan(plan(rate_rps, seconds))
        run(directory, int(target.stdout.readline()))
        target.kill()
        table = directory.streamed_samples()
        lag_ms = (table["started_ns"].to_numpy() - table["intended_ns"].to_numpy()) / 1e6
        service_ms = (table["ended_ns"].to_numpy() - table["started_ns"].to_numpy()) / 1e6
        lines = directory.live_lines()
        cpu_s = sum(
            line.cpu_ratio * (line.t_ns - before) / S
            for line, before in zip(lines, [0, *(line.t_ns for line in lines)], strict=False)
        )
        size = directory.samples_stream_path(0).stat().st_size
        close_samples(directory)
        closed = directory.samples_path.stat().st_size
    results = set(table["result"].to_pylist())
    if results != {"answered"}:
        sys.exit(f"not a benchmark: {', '.join(sorted(results))}")

    def three(values: "np.typing.NDArray[np.float64]") -> tuple[float, float, float]:
        p50, p99, most = np.percentile(values, [50, 99, 100])
        return float(p50), float(p99), float(most)

    return Rate(
        arrivals=table.num_rows,
        lag_ms=three(lag_ms),
        service_ms=three(service_ms),
        cpu_us=cpu_s / table.num_rows * 1e6,
        size=size / table.num_rows,
        closed_size=closed / table.num_rows,
    )


def main() -> None:
    """Run once and print."""
    if "serve" in sys.argv:
        import uvloop

        uvloop.run(serve())
        return
    rate_rps = min(float(sys.argv[1]) if len(sys.argv) > 1 else 1000.0, 10_000.0)
    seconds = min(float(sys.argv[2]) if len(sys.argv) > 2 else 5.0, 30.0)
    found = at_rate(rate_rps, seconds)
    print(f"{found.arrivals} arrivals in {seconds:g} s, all answered")
    for name, (p50, p99, most) in (("dispatch lag", found.lag_ms), ("service time", found.service_ms)):
        print(f"{name:14} p50 {p50:.3f} ms   p99 {p99:.3f} ms   max {most:.1f} ms")
    print(f"{'CPU':14} {found.cpu_us:.0f} us an arrival; {found.size:.0f} B a sample, {found.closed_size:.0f} B closed")


if __name__ == "__main__":
    main()
