"""How many paced streams one provider process holds, and how true its pace stays.

    .venv/bin/python benchmarks/provider_streams.py --streams 2000 --token-ms 20 --seconds 15

Starts the provider on loopback, keeps that many streams open from two client processes (one only drains, the other watches
40 streams and writes down when each chunk came), and prints the gaps by the provider's records and by the watcher.
Goal: 2,000 streams at 20 ms a token with the 95th percentile of the gap within 5 %.
"""

import argparse
import contextlib
import json
import os
import resource
import selectors
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

WATCHED = 40
STAGGER_S = 2.0


def body(number: int) -> bytes:
    """Return a request for one stream; the prompt makes it unlike the others."""
    return json.dumps(
        {"model": "sim-small", "stream": True, "messages": [{"role": "user", "content": f"stream {number}"}]}
    ).encode()


def request(number: int) -> bytes:
    """Return the same as it goes over the wire."""
    payload = body(number)
    head = "POST /v1/chat/completions HTTP/1.1\r\nhost: p\r\nauthorization: Bearer bench\r\ncontent-length: "
    return f"{head}{len(payload)}\r\n\r\n".encode() + payload


def hold(address: str, streams: int, seconds: float, offset: int, watch: bool) -> list[float]:
    """Keep `streams` connections busy, each asking anew when its answer ends; return the gaps seen in ms if watching."""
    host, port = address.rsplit(":", 1)
    selector = selectors.EpollSelector()
    began = time.monotonic()
    last: dict[int, float] = {}
    gaps: list[float] = []
    number = offset
    opened = 0
    while (now := time.monotonic()) < began + seconds:
        while opened < streams and now >= began + STAGGER_S * opened / streams:
            connection = socket.create_connection((host, int(port)))
            connection.setblocking(False)
            connection.send(request(number))
            selector.register(connection, selectors.EVENT_READ, connection)
            number += 1_000_003
            opened += 1
        if not watch:
            time.sleep(0.02)  # drains in bulk: the client must not take the processor from the provider
        for key, _ in selector.select(0.01):
            connection = key.data
            with contextlib.suppress(BlockingIOError):
                data = connection.recv(262_144)
                seen = time.monotonic()
                if watch and b'"delta":{"content":"' in data:
                    if key.fd in last:
                        gaps.append((seen - last[key.fd]) * 1e3)
                    last[key.fd] = seen
                if data.endswith(b"0\r\n\r\n"):
                    last.pop(key.fd, None)
                    connection.send(request(number))
                    number += 1_000_003
    return gaps


def percentile(values: list[float], share: float) -> float:
    """Return the value below which that share lies; NaN of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def processor_s(pid: int) -> float:
    """Return the seconds of processor that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def report(
    arguments: argparse.Namespace,
    everything: list[dict[str, Any]],
    seen: list[float],
    usage: resource.struct_rusage,
    used: float,
    late_max_ms: float,
) -> None:
    """Print what the records and the watching client say of the steady part."""
    calls = [call for call in everything if call["gap_p95_ns"] is not None and call["ended"] == "completed"]
    steady_ns = min(call["received_ns"] for call in calls) + STAGGER_S * 1e9
    calls = [call for call in calls if call["first_content_ns"] >= steady_ns]
    mean = [(c["last_content_ns"] - c["first_content_ns"]) / (c["chunks"] - 1) / 1e6 for c in calls]
    p95 = [call["gap_p95_ns"] / 1e6 for call in calls]
    chunks = sum(call["chunks"] for call in everything)
    user_us, system_us = usage.ru_utime / chunks * 1e6, usage.ru_stime / chunks * 1e6
    free = 1e6 / (user_us + system_us)
    asked = arguments.streams * 1e3 / arguments.token_ms
    print(f"streams {arguments.streams}, {arguments.token_ms:g} ms a token, {len(calls)} whole answers in the steady part")
    print(
        f"processor a chunk          {user_us:.1f} us user, {system_us:.1f} us system, {free:.0f}/s a core; {asked:.0f}/s asked"
    )
    print(f"processor of the provider  {used:.2f} of one core")
    print(f"latest wake-up             {late_max_ms:.1f} ms")
    print(f"mean gap (records)         {percentile(mean, 0.5):.3f} ms; 99 of 100 streams below {percentile(mean, 0.99):.3f} ms")
    print(
        f"gap p95 in a stream        {percentile(p95, 0.5):.2f} ms at the median stream, {percentile(p95, 0.95):.2f} at the 95th"
    )
    print(
        f"gap p95 (watched client)   {percentile(seen, 0.95):.2f} ms of {len(seen)} gaps, median {percentile(seen, 0.5):.2f} ms"
    )
    print(f"gap p95 / token_ms         {percentile(p95, 0.5) / arguments.token_ms:.3f} (goal: 0.95 to 1.05)")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=2_000)
    parser.add_argument("--token-ms", type=float, default=20.0)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--client", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.client:
        address, streams, offset, watch = arguments.client
        print(json.dumps(hold(address, int(streams), arguments.seconds, int(offset), watch == "watch")))
        return
    # The table of models says 5 ms a token; the provider is told another pace by a model table of this run alone.
    launcher = (
        "import dataclasses, sys; from harness.model import simulated as s; "
        f"paced = lambda m: dataclasses.replace(m, token_ms={arguments.token_ms}); "
        "s.SIMULATED_MODELS.update({n: paced(m) for n, m in s.SIMULATED_MODELS.items()}); "
        "from harness.provider.__main__ import main; sys.exit(main(['--endpoint', 'primary=127.0.0.1:0']))"
    )
    provider = subprocess.Popen([sys.executable, "-c", launcher], stdout=subprocess.PIPE, text=True)
    assert provider.stdout is not None
    try:
        ready = json.loads(provider.stdout.readline())
        address = ready["endpoints"]["primary"]
        watched = min(WATCHED, arguments.streams // 2)

        def client(streams: int, offset: int, role: str) -> subprocess.Popen[str]:
            command = [
                sys.executable,
                __file__,
                "--seconds",
                str(arguments.seconds),
                "--client",
                address,
                str(streams),
                str(offset),
                role,
            ]
            return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

        clients = [client(arguments.streams - watched, 0, "drain"), client(watched, 500, "watch")]
        time.sleep(min(4.0, arguments.seconds / 3))
        before, began = processor_s(provider.pid), time.monotonic()
        time.sleep(arguments.seconds / 2)
        used = (processor_s(provider.pid) - before) / (time.monotonic() - began)
        outputs = [each.communicate()[0] for each in clients]
        with urllib.request.urlopen(f"http://{ready['control']}/calls") as answer:
            everything = json.load(answer)
        with urllib.request.urlopen(f"http://{ready['control']}/health") as answer:
            health = json.load(answer)
    finally:
        provider.terminate()
        _, _, usage = os.wait4(provider.pid, 0)
    report(arguments, everything, json.loads(outputs[1]), usage, used, health["late_max_ms"])


if __name__ == "__main__":
    main()
