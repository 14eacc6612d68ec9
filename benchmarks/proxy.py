"""The embedded fault proxy beside the real Toxiproxy, in one run: `python benchmarks/proxy.py [--seconds 1] [--rounds 3]`.

Prints, for a direct connection, ours and the real one (HARNESS_TOXIPROXY_SERVER or `toxiproxy-server` on the PATH):
round trip of a 100-byte request on one connection, requests a second and the proxy's CPU a request on 50, MB a second on
1 and 50, memory of 2,000 idle links, and how far a latency toxic is off. Rounds are interleaved, so that a noisy machine
hits all three alike; read the ratios. Load goes to 127.0.0.1 only.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import httpx
import uvloop

REQUEST = b"x" * 100
IDLE_LINKS = 2000
LATENCY_MS = 20
LATENCY_S = 10  # some 450 answers: a 99th percentile that is not the worst of them


class Echo(asyncio.Protocol):
    """Sends back what it gets."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Send it back."""
        self.transport.write(data)  # type: ignore[attr-defined]


class Flood(asyncio.Protocol):
    """Sends without end."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = transport
        self.resume_writing()

    def resume_writing(self) -> None:
        """Fill the buffer; when it is full the loop calls `pause_writing`, then this again."""
        self.full = False
        while not self.full and not self.transport.is_closing():
            self.transport.write(bytes(65536))  # type: ignore[attr-defined]

    def pause_writing(self) -> None:
        """Stop filling."""
        self.full = True


def serve(report: Connection) -> None:
    """Run the two servers behind the proxies; report their addresses."""

    async def forever() -> None:
        loop = asyncio.get_running_loop()
        servers = [await loop.create_server(protocol, "127.0.0.1", 0, backlog=4096) for protocol in (Echo, Flood)]
        report.send([server.sockets[0].getsockname()[1] for server in servers])
        await asyncio.Event().wait()

    uvloop.run(forever())


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to the servers: ports of the echo and of the flood; the proxy's process and API where there is one."""

    name: str
    echo: int
    flood: int
    pid: int | None = None
    api: str | None = None


def cpu_s(pid: int) -> float:
    """Return the CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_kb(pid: int) -> int:
    """Return the resident memory of a process."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1])


def round_trips_us(port: int, seconds: float) -> list[float]:
    """Return the time of each request on one connection, in microseconds."""
    times = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end = time.perf_counter() + seconds
        while (start := time.perf_counter()) < end:
            connection.sendall(REQUEST)
            got = 0
            while got < len(REQUEST):
                got += len(connection.recv(4096))
            times.append((time.perf_counter() - start) * 1e6)
    return times


class Pinger(asyncio.Protocol):
    """Sends the next request when the answer is whole."""

    def __init__(self) -> None:
        self.count = self.got = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first."""
        self.transport = transport
        transport.write(REQUEST)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """Count, and send the next."""
        self.got += len(data)
        if self.got >= len(REQUEST):
            self.got = 0
            self.count += 1
            self.transport.write(REQUEST)  # type: ignore[attr-defined]


class Reader(asyncio.Protocol):
    """Counts bytes."""

    def __init__(self) -> None:
        self.count = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Count."""
        self.count += len(data)


async def counted(protocol: type[Pinger] | type[Reader], port: int, connections: int, seconds: float) -> float:
    """Return what all connections together counted, a second."""
    loop = asyncio.get_running_loop()
    made = [(await loop.create_connection(protocol, "127.0.0.1", port))[1] for _ in range(connections)]
    before, start = sum(each.count for each in made), time.perf_counter()
    await asyncio.sleep(seconds)
    rate = (sum(each.count for each in made) - before) / (time.perf_counter() - start)
    for each in made:
        each.transport.abort()  # type: ignore[attr-defined]
    await asyncio.sleep(0.05)
    return rate


def idle_kb(way: Way) -> float:
    """Return the proxy's memory for one idle link, in KiB."""
    assert way.pid is not None
    before = rss_kb(way.pid)
    links = [socket.create_connection(("127.0.0.1", way.echo)) for _ in range(IDLE_LINKS)]
    for link in links:
        link.sendall(b"x")
    for link in links:
        link.recv(1)
    used = rss_kb(way.pid) - before
    for link in links:
        link.close()
    return used / IDLE_LINKS


def latency_errors_ms(way: Way) -> list[float]:
    """Return how much later than asked each answer came under a latency toxic, in milliseconds."""
    with httpx.Client(base_url=f"http://{way.api}", trust_env=False) as client:
        body = {"type": "latency", "attributes": {"latency": LATENCY_MS}}
        client.post("/proxies/echo/toxics", json=body).raise_for_status()
        errors = [us / 1000 - LATENCY_MS for us in round_trips_us(way.echo, LATENCY_S)]
        client.delete("/proxies/echo/toxics/latency_downstream").raise_for_status()
    return errors


@contextlib.contextmanager
def proxied(name: str, command: list[str], api: str | None, echo: int, flood: int) -> Iterator[Way]:
    """Start a proxy with one link to each server."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE if api is None else subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            if api is None:
                assert process.stdout is not None
                api = json.loads(process.stdout.readline())["api"]
            ports = {}
            with httpx.Client(base_url=f"http://{api}", trust_env=False, transport=httpx.HTTPTransport(retries=8)) as client:
                for link, upstream in (("echo", echo), ("flood", flood)):
                    body = {"name": link, "listen": "127.0.0.1:0", "upstream": f"127.0.0.1:{upstream}"}
                    ports[link] = int(client.post("/proxies", json=body).json()["listen"].rsplit(":", 1)[1])
            yield Way(name=name, echo=ports["echo"], flood=ports["flood"], pid=process.pid, api=api)
        finally:
            process.terminate()


def show(title: str, ways: list[Way], values: dict[str, float], unit: str, base: float = 0.0) -> None:
    """Print one row, and the ratio of ours to the real one."""
    row = "  ".join(f"{way.name} {values[way.name]:10.1f}" for way in ways if way.name in values)
    ratio = ""
    if "toxiproxy" in values and values["toxiproxy"] - base:
        ratio = f"   ours/toxiproxy {(values['ours'] - base) / (values['toxiproxy'] - base):.2f}"
    print(f"{title:34} {row}  {unit}{ratio}")


def measure(ways: list[Way], seconds: float, rounds: int) -> None:
    """Measure every way in turn, and print."""
    trips: dict[str, list[float]] = {way.name: [] for way in ways}
    rates: dict[str, dict[str, list[float]]] = {key: {way.name: [] for way in ways} for key in ("requests", "cpu", "mb1", "mb50")}
    for _ in range(rounds):
        for way in ways:
            trips[way.name] += round_trips_us(way.echo, seconds)
        for way in ways:
            cpu = cpu_s(way.pid) if way.pid else 0.0
            rate = uvloop.run(counted(Pinger, way.echo, 50, seconds))
            rates["requests"][way.name].append(rate)
            if way.pid:
                rates["cpu"][way.name].append((cpu_s(way.pid) - cpu) / (rate * seconds) * 1e6)
        for key, connections in (("mb1", 1), ("mb50", 50)):
            for way in ways:
                rates[key][way.name].append(uvloop.run(counted(Reader, way.flood, connections, seconds)) / 1e6)
    median: Callable[[dict[str, list[float]]], dict[str, float]] = lambda found: {  # noqa: E731 - one line, used below only
        name: statistics.median(values) for name, values in found.items() if values
    }
    p50 = median(trips)
    p99 = {name: statistics.quantiles(values, n=100)[98] for name, values in trips.items()}
    show("round trip p50 (ratio: added)", ways, p50, "us", p50["direct"])
    show("round trip p99 (ratio: added)", ways, p99, "us", p99["direct"])
    show("requests on 50 connections", ways, median(rates["requests"]), "1/s")
    show("proxy's CPU a request", ways, median(rates["cpu"]), "us")
    show("one connection", ways, median(rates["mb1"]), "MB/s")
    show("50 connections", ways, median(rates["mb50"]), "MB/s")
    proxies = [way for way in ways if way.pid]
    errors = {way.name: latency_errors_ms(way) for way in proxies}
    show(
        f"latency {LATENCY_MS} ms: late by, p50",
        ways,
        {name: 1000 * statistics.median(found) for name, found in errors.items()},
        "us",
    )
    show(
        f"latency {LATENCY_MS} ms: late by, p99",
        ways,
        {name: 1000 * statistics.quantiles(found, n=100)[98] for name, found in errors.items()},
        "us",
    )
    show("memory of an idle link", ways, {way.name: idle_kb(way) for way in proxies}, "KiB")  # last: thousands of links close


def main() -> None:
    """Start everything, measure, stop everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1.0, help="length of one measurement (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is repeated (default: %(default)s)")
    options = parser.parse_args()
    here, there = multiprocessing.Pipe()
    servers = multiprocessing.Process(target=serve, args=(there,), daemon=True)
    servers.start()
    echo, flood = here.recv()
    with contextlib.ExitStack() as stack:
        ways = [Way(name="direct", echo=echo, flood=flood)]
        command = [sys.executable, "-m", "harness.faultproxy", "--port", "0"]
        ways.append(stack.enter_context(proxied("ours", command, None, echo, flood)))
        binary = os.environ.get("HARNESS_TOXIPROXY_SERVER") or shutil.which("toxiproxy-server")
        if binary:
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            command = [binary, "-host", "127.0.0.1", "-port", str(port)]
            ways.append(stack.enter_context(proxied("toxiproxy", command, f"127.0.0.1:{port}", echo, flood)))
        else:
            print("no toxiproxy-server found: set HARNESS_TOXIPROXY_SERVER to compare")
        print(f"{os.cpu_count()} CPUs, load average {os.getloadavg()[0]:.1f}: on a busy machine trust only the CPU a request")
        measure(ways, options.seconds, options.rounds)
    servers.terminate()


if __name__ == "__main__":
    main()
