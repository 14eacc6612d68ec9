"""The reference service beside a plain FastAPI proxy, before the same exact provider, in one run.

    python benchmarks/service.py [SECONDS]

Starts PostgreSQL, Valkey, two providers, one instance of the service and one proxy, and prints: requests a second at 32
connections with CPU per request; the latency that is added at 100 open arrivals a second to a provider that takes 100 ms;
the gaps between tokens of 200 streams at once. The client and the provider share the machine with what they measure: on
two cores the figures are low, but those of one run compare. A guard whose store had no processor for 150 ms refuses (503).
SECONDS a turn, 8 by default.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import uvloop
from service_peers import Connection, request

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))
from service_stack import Stack, running_stack  # the stack of the service's own tests

CONNECTIONS, RATE, STREAMS = 32, 100, 200
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def peer(*arguments: str) -> Iterator[tuple[str, int]]:
    """Run one of the peers; give its address and pid."""
    command = [sys.executable, str(Path(__file__).parent / "service_peers.py"), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["listen"], process.pid
        finally:
            process.kill()


@contextlib.contextmanager
def service(stack: Stack, provider: str) -> Iterator[tuple[str, int]]:
    """Run one instance before a provider; give its address and pid."""
    url = f"http://{provider}/v1"
    limits = {"rate_limit": "100000000", "global_rate_limit": "100000000", "service_budget_usd": "100000"}
    with stack.instance(provider_primary_url=url, provider_secondary_url=url, stream_max_s="60", **limits) as instance:
        yield str(instance.process.ready["listen"]), instance.process.popen.pid


def cpu_s(pid: int) -> float:
    """Return the CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


async def saturated(address: str, pid: int, key: str, seconds: float, **how: bool) -> tuple[float, float, int]:
    """Keep all connections busy; return answers a second, CPU milliseconds a request, and refusals."""

    async def one(connection: Connection, offset: int) -> tuple[int, int]:
        done = refused = 0
        while time.monotonic() < end:
            asked = await connection.ask(request(key, number=offset + done, **how))
            done += 1
            refused += asked.status != 200
        return done, refused

    connections = [await Connection.open(address) for _ in range(CONNECTIONS)]
    await connections[0].ask(request(key, **how))
    used, began = cpu_s(pid), time.monotonic()
    end = began + seconds
    every = await asyncio.gather(*(one(c, i * 1_000_000) for i, c in enumerate(connections)))
    done, refused = sum(each[0] for each in every), sum(each[1] for each in every)
    return (done - refused) / (time.monotonic() - began), (cpu_s(pid) - used) * 1000 / done, refused


async def open_arrivals(address: str, key: str, seconds: float, **how: bool) -> np.ndarray:
    """Ask at a fixed rate whatever happens; return milliseconds from when each request was due to its end."""
    free: list[Connection] = []
    taken: list[float] = []

    async def one(due: float, number: int) -> None:
        connection = free.pop() if free else await Connection.open(address)
        asked = await connection.ask(request(key, number=number, **how))
        taken.append((asked.pieces_s[-1] - due) * 1000)
        free.append(connection)

    began = time.monotonic() + 0.2
    async with asyncio.TaskGroup() as group:
        for number in range(round(RATE * seconds)):
            due = began + number / RATE
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            group.create_task(one(due, number))
    return np.array(taken[RATE:])  # the first second makes connections


async def token_gaps(address: str, key: str) -> np.ndarray:
    """Hold many streams at once; return the milliseconds between tokens, without the first and the last of each."""

    async def one(number: int) -> list[float]:
        connection = await Connection.open(address)
        await asyncio.sleep(number * 2.0 / STREAMS)
        asked = await connection.ask(request(key, number=number, stream=True, cached=False))
        assert asked.status == 200, asked.status
        return list(np.diff(asked.pieces_s[1:-1]) * 1000)

    gaps = await asyncio.gather(*(one(number) for number in range(STREAMS)))
    return np.array([gap for each in gaps for gap in each])


def row(what: str, *cells: str) -> None:
    """Print one line of a table."""
    print(f"{what:34}" + "".join(f"{cell:>14}" for cell in cells), flush=True)


async def main(seconds: float) -> None:
    """Measure and print."""
    with running_stack() as stack, contextlib.ExitStack() as started:
        quick, _ = started.enter_context(peer("provider", "10", "0"))
        key = stack.user()["authorization"].removeprefix("Bearer ")
        print(f"at {CONNECTIONS} connections, a provider that answers at once")
        row("", "req/s", "CPU ms/req", "refused")
        with service(stack, quick) as (ours, ours_pid), peer("proxy", f"http://{quick}") as (plain, plain_pid):
            for stream in (False, True):
                said = "streamed" if stream else "whole"
                for name, address, pid, cached in (
                    ("plain proxy", plain, plain_pid, False),
                    ("service", ours, ours_pid, False),
                    ("service, cached", ours, ours_pid, True),
                ):
                    rps, cpu_ms, refused = await saturated(address, pid, key, seconds, stream=stream, cached=cached)
                    row(f"{name}, {said}", f"{rps:.0f}", f"{cpu_ms:.2f}", f"{refused}")
        slow, _ = started.enter_context(peer("provider", "10", "10"))
        print(f"\nat {RATE}/s open arrivals, a provider that takes 100 ms: milliseconds above the provider's own")
        row("", "p50", "p99")
        with service(stack, slow) as (ours, _), peer("proxy", f"http://{slow}") as (plain, _):
            for stream in (False, True):
                said = "streamed" if stream else "whole"
                alone = np.percentile(await open_arrivals(slow, key, seconds, stream=stream, cached=False), (50, 99))
                row(f"provider alone, {said}", f"{alone[0]:.1f}", f"{alone[1]:.1f}")
                for name, address in (("plain proxy", plain), ("service", ours)):
                    taken = np.percentile(await open_arrivals(address, key, seconds, stream=stream, cached=False), (50, 99))
                    row(f"{name} adds, {said}", f"{taken[0] - alone[0]:.1f}", f"{taken[1] - alone[1]:.1f}")
        paced, _ = started.enter_context(peer("provider", "200", "25"))
        print(f"\n{STREAMS} streams at once, a token every 25 ms: milliseconds between tokens")
        row("", "p50", "p95", "p99")
        with service(stack, paced) as (ours, _), peer("proxy", f"http://{paced}") as (plain, _):
            for name, address in (("provider alone", paced), ("plain proxy", plain), ("service", ours)):
                seen = np.percentile(await token_gaps(address, key), (50, 95, 99))
                row(name, *(f"{value:.1f}" for value in seen))


if __name__ == "__main__":
    uvloop.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 8.0))
