"""The reference service beside a plain FastAPI proxy, before the same exact provider, in one run.

    python benchmarks/service.py [SECONDS]

Starts PostgreSQL, Valkey, two providers, one instance of the service and one proxy, and prints: requests a second at 32
connections with CPU per request; the latency that is added at 100 open arrivals a second to a provider that takes 100 ms;
the gaps between tokens while 200 streams are under way at once. All are asked before they are measured: a first connection
to a store, its first statements and the first call cost once what the benchmark is not about. The client and the provider
share the machine with what they measure: on two cores the figures are low, but those of one run compare. A guard whose store
had no processor for 150 ms refuses (503): such streams are asked for again, and counted.
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

CONNECTIONS, RATE, STREAMS, RAMP_S, TOKENS = 32, 100, 200, 2.0, 200
WARM_UPS = 10
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


async def warmed(address: str, key: str) -> None:
    """Ask until it answers as it will, over as many connections as are used later."""
    for attempt in range(WARM_UPS):
        connections = [await Connection.open(address) for _ in range(CONNECTIONS)]
        asked = [c.ask(request(key, stream=attempt % 2 == 1, cached=False, number=-1 - i)) for i, c in enumerate(connections)]
        answers = await asyncio.gather(*asked)
        if attempt > 1 and all(answer.status == 200 for answer in answers):
            return
        await asyncio.sleep(0.5)
    raise SystemExit(f"{address} did not answer {CONNECTIONS} requests at once with 200 in {WARM_UPS} rounds")


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
        while free and free[-1].closed:  # a peer may end what it has not heard of for some seconds
            free.pop()
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


async def token_gaps(address: str, key: str) -> tuple[np.ndarray, int]:
    """Hold many streams at once; return the milliseconds between tokens while all are under way, and how many refusals."""
    refused = 0

    async def one(number: int) -> list[float]:
        nonlocal refused
        connection = await Connection.open(address)
        await asyncio.sleep(number * RAMP_S / STREAMS)
        for _ in range(10):
            asked = await connection.ask(request(key, number=number, stream=True, cached=False))
            if asked.status == 200:
                return asked.pieces_s[:-1]
            refused += 1
            await asyncio.sleep(0.2)
        raise SystemExit(f"{address} refused one stream ten times, the last time with {asked.status}")

    came = await asyncio.gather(*(one(number) for number in range(STREAMS)))
    began, ended = max(each[0] for each in came), min(each[-1] for each in came)
    assert ended - began >= 1.0, f"all {STREAMS} streams were under way together for {ended - began:.1f} s only"
    return np.concatenate([np.diff([at for at in each if began <= at <= ended]) * 1000 for each in came]), refused


def row(what: str, *cells: str) -> None:
    """Print one line of a table."""
    print(f"{what:34}" + "".join(f"{cell:>14}" for cell in cells), flush=True)


async def main(stack: Stack, key: str, seconds: float) -> None:
    """Measure and print."""
    with contextlib.ExitStack() as started:
        quick, _ = started.enter_context(peer("provider", "10", "0"))
        print(f"at {CONNECTIONS} connections, a provider that answers at once")
        row("", "req/s", "CPU ms/req", "refused")
        with service(stack, quick) as (ours, ours_pid), peer("proxy", f"http://{quick}") as (plain, plain_pid):
            for each in (ours, plain):
                await warmed(each, key)
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
            for each in (ours, plain):
                await warmed(each, key)
            for stream in (False, True):
                said = "streamed" if stream else "whole"
                alone = np.percentile(await open_arrivals(slow, key, seconds, stream=stream, cached=False), (50, 99))
                row(f"provider alone, {said}", f"{alone[0]:.1f}", f"{alone[1]:.1f}")
                for name, address in (("plain proxy", plain), ("service", ours)):
                    taken = np.percentile(await open_arrivals(address, key, seconds, stream=stream, cached=False), (50, 99))
                    row(f"{name} adds, {said}", f"{taken[0] - alone[0]:.1f}", f"{taken[1] - alone[1]:.1f}")
        paced, paced_pid = started.enter_context(peer("provider", str(TOKENS), "25"))
        print(f"\n{STREAMS} streams at once, a token every 25 ms: milliseconds between tokens")
        row("", "p50", "p95", "p99", "CPU us/token", "refused")
        with service(stack, paced) as (ours, ours_pid), peer("proxy", f"http://{paced}") as (plain, plain_pid):
            peers = (("provider alone", paced, paced_pid), ("plain proxy", plain, plain_pid), ("service", ours, ours_pid))
            for name, address, pid in peers:
                await warmed(address, key)
                used = cpu_s(pid)
                gaps, refused = await token_gaps(address, key)
                token_us = (cpu_s(pid) - used) * 1e6 / (STREAMS * TOKENS)
                row(name, *(f"{value:.1f}" for value in np.percentile(gaps, (50, 95, 99))), f"{token_us:.0f}", f"{refused}")


if __name__ == "__main__":
    with running_stack() as running:
        asked_with = running.user()["authorization"].removeprefix("Bearer ")
        uvloop.run(main(running, asked_with, float(sys.argv[1]) if len(sys.argv) > 1 else 8.0))
