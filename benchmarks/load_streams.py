"""How many streams one worker can hold: tokens every 20 ms, and the p95 of the gaps it measures beside the server's own.

    python benchmarks/load_streams.py [SECONDS] [MOST]

Streams are added until the p95 of the gaps is more than 10 % off what the server did. The server sends a bucket of streams
each millisecond, on uvloop, in a process of its own, and keeps the gaps of its own sending.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import load_rate
import numpy as np

from harness.model.plan import ArrivalProcess, ArrivalSegment
from harness.rundir import RunDirectory

S = 1_000_000_000
EVERY_MS = 20
TOKENS = 100
STEPS = (200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
EVENT = b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'
CHUNK = b"%x\r\n%b\r\n" % (len(EVENT), EVENT)
LAST = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"


class Streams(asyncio.Protocol):
    """One connection; each request is a stream of `TOKENS`."""

    buckets: tuple[set["Streams"], ...] = tuple(set() for _ in range(EVERY_MS))
    opened = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Choose a bucket in turn."""
        self.transport = cast("asyncio.WriteTransport", transport)
        self.bucket = Streams.buckets[Streams.opened % EVERY_MS]
        Streams.opened += 1

    def data_received(self, _: bytes) -> None:
        """Begin a stream."""
        self.left = TOKENS
        self.transport.write(HEAD)
        self.bucket.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        """Forget it."""
        self.bucket.discard(self)


async def serve() -> None:
    """Serve until standard input closes; print the port, then the p95 of the gaps between the turns of a bucket."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Streams, "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    over = loop.run_in_executor(None, sys.stdin.read)
    last_ns, gaps_ns = [0] * EVERY_MS, []
    began, turn = loop.time(), 0
    while not over.done():
        turn += 1
        await asyncio.sleep(max(0.0, began + turn / 1000 - loop.time()))
        number = turn % EVERY_MS
        now_ns = time.monotonic_ns()
        bucket = Streams.buckets[number]
        if bucket and last_ns[number]:
            gaps_ns.append(now_ns - last_ns[number])
        last_ns[number] = now_ns if bucket else 0
        for stream in tuple(bucket):
            stream.left -= 1
            stream.transport.write(CHUNK if stream.left > 0 else LAST)
            if stream.left <= 0:
                bucket.discard(stream)
    sys.stdout.write(f"{np.percentile(gaps_ns, 95) / 1e6 if gaps_ns else 0}\n")


@dataclass(frozen=True)
class Held:
    """What was held: the p95 of the token gaps measured and true, in milliseconds, and CPU a token in microseconds."""

    streams: int
    measured_ms: float
    true_ms: float
    cpu_us: float

    @property
    def off(self) -> float:
        """How far off the measured one is, as a share."""
        return abs(self.measured_ms / self.true_ms - 1)


def hold(streams: int, seconds: float) -> Held:
    """Hold so many streams at once with one worker."""
    with (
        tempfile.TemporaryDirectory() as place,
        subprocess.Popen([sys.executable, __file__, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server,
    ):
        assert server.stdin is not None
        assert server.stdout is not None
        port = int(server.stdout.readline())
        directory = RunDirectory.create(Path(place) / "run")
        plan = load_rate.plan(0, seconds)
        loop = ArrivalSegment(process=ArrivalProcess.CLOSED, start_ns=0, end_ns=round(seconds * S), rate_rps=0, users=streams)
        directory.write_plan(replace(plan, load=replace(plan.load, segments=(loop,), streamed_ratio=1.0, drain_ns=4 * S)))
        load_rate.run(directory, port)
        server.stdin.close()
        true_ms = float(server.stdout.readline())
        table = directory.streamed_samples()
        lines = directory.live_lines()
    gaps = table["gap_p95_ns"].drop_null().to_numpy() / 1e6
    starts = [0, *(line.t_ns for line in lines)]
    cpu_s = sum(line.cpu_ratio * (line.t_ns - before) / S for line, before in zip(lines, starts, strict=False))
    tokens = sum(chunks or 0 for chunks in table["chunks"].to_pylist())
    return Held(streams=streams, measured_ms=float(np.median(gaps)), true_ms=true_ms, cpu_us=cpu_s / max(tokens, 1) * 1e6)


def most(seconds: float, steps: tuple[int, ...] = STEPS) -> list[Held]:
    """Return what was held, up to the first step that was more than 10 % off."""
    found = []
    for streams in steps:
        found.append(hold(streams, seconds))
        if found[-1].off > 0.1:
            break
    return found


def main() -> None:
    """Print each step."""
    if "serve" in sys.argv:
        import uvloop

        uvloop.run(serve())
        return
    seconds = min(float(sys.argv[1]) if len(sys.argv) > 1 else 6.0, 20.0)
    highest = int(sys.argv[2]) if len(sys.argv) > 2 else max(STEPS)
    for held in most(seconds, tuple(step for step in STEPS if step <= highest)):
        print(
            f"{held.streams:5} streams: gap p95 {held.measured_ms:.2f} ms, truth {held.true_ms:.2f} ms "
            f"({100 * held.off:.1f} % off), {held.cpu_us:.1f} us of CPU a token"
        )


if __name__ == "__main__":
    main()
