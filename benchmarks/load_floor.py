"""What a request of a closed loop cannot cost less than in Python, and what the engine's own work adds: microseconds of CPU.

    python benchmarks/load_floor.py [SECONDS]

The floor: 50 connections to the instant target by `select.epoll`, `recv` and `send` of one fixed request, and nothing else;
and the same on gevent's loop. The engine's work: a whole worker whose wires are no sockets, so that no kernel, no other
process and no target has a part in it; the least of many rounds. The sum is what a request costs with warm caches.
"""

import locust  # noqa: F401, I001 - as in the worker: patched before anything else

import os
import resource
import select
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import gevent
import load_rate
from gevent import monkey
from gevent.hub import get_hub

import harness.load.worker
from harness.load.wire import Wire
from harness.load.worker import Worker
from harness.model.assignment import Assignment
from harness.model.plan import ArrivalProcess, ArrivalSegment
from harness.rundir import RunDirectory

CONNECTIONS = 50
BODY = b'{"model":"sim-small","messages":[{"role":"user","content":"What is 7?"}],"stream":false}'
REQUEST = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
    len(BODY),
    BODY,
)


def connected(port: int) -> list[socket.socket]:
    """Return plain sockets that have asked once."""
    plain = monkey.get_original("socket", "socket")
    found = []
    for _ in range(CONNECTIONS):
        one = plain(socket.AF_INET, socket.SOCK_STREAM)
        one.connect(("127.0.0.1", port))
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one.setblocking(False)
        one.send(REQUEST)
        found.append(one)
    return found


def cpu_s() -> float:
    """Return the CPU time of this process, of the kernel's part too."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def bare(port: int, seconds: float) -> float:
    """Return what a request costs on a bare epoll loop."""
    poll = monkey.get_original("select", "epoll")()  # gevent takes it away
    both = {}
    for one in connected(port):
        poll.register(one.fileno(), select.EPOLLIN)
        both[one.fileno()] = (one.recv, one.send)
    count, began, until = 0, cpu_s(), time.monotonic() + seconds
    while time.monotonic() < until:
        for fd, _ in poll.poll(1, 256):
            receive, send = both[fd]
            receive(16_384)
            send(REQUEST)
            count += 1
    return (cpu_s() - began) / count * 1e6


def on_gevent(port: int, seconds: float) -> float:
    """Return what a request costs by callbacks of gevent's loop."""
    loop, counted, watchers = get_hub().loop, [0], []
    sockets = connected(port)
    for one in sockets:

        def answered(receive=one.recv, send=one.send) -> None:  # type: ignore[no-untyped-def]
            counted[0] += 1
            receive(16_384)
            send(REQUEST)

        watchers.append(loop.io(one.fileno(), 1))
        watchers[-1].start(answered)
    began = cpu_s()
    gevent.sleep(seconds)
    cost = (cpu_s() - began) / counted[0] * 1e6
    for watcher in watchers:
        watcher.stop()
        watcher.close()
    return cost


class NoSocket:
    """Takes every request and has every answer; poller and watcher of itself."""

    def send(self, data: bytes) -> int:
        """Take it."""
        return len(data)

    def recv(self, _: int) -> bytes:
        """Answer."""
        return load_rate.ANSWER

    def poll(self, _: int) -> list[int]:
        """Never closed."""
        return []

    def start(self, *_: object) -> None:
        """Nothing comes by itself."""

    stop = close = start


class NoCanary:
    """Does not sing."""

    def __init__(self, _: object) -> None: ...


def engine(place: Path) -> tuple[float, float]:
    """Return what the worker's own work for a request costs, and what writing its row does."""

    def connect(wire: Wire) -> None:
        wire._socket = wire._poll = wire._readable = wire._writable = NoSocket()  # type: ignore[assignment]

    Wire.connect, Wire.close = connect, lambda _: None  # type: ignore[method-assign, assignment]
    harness.load.worker.Canary = NoCanary  # type: ignore[attr-defined, assignment]
    directory = RunDirectory.create(place / "run")
    plan = load_rate.plan(0, 1000)
    users = ArrivalSegment(process=ArrivalProcess.CLOSED, start_ns=0, end_ns=10**13, rate_rps=0, users=CONNECTIONS)
    directory.write_plan(replace(plan, load=replace(plan.load, segments=(users,))))
    keys = {f"user-{number:04d}": "key" for number in range(10)}
    worker = Worker(Assignment(run_directory=str(directory.path), base_url="http://127.0.0.1:1", keys=keys))
    lanes = worker._sender
    worker._zero_ns = time.monotonic_ns()
    lanes.start(worker._zero_ns)
    for user in range(CONNECTIONS):
        lanes._loops._ask(users, user)  # type: ignore[attr-defined]
    work, rows = [], []
    for _ in range(30):
        began = time.process_time_ns()
        for _ in range(10):
            for lane in lanes._pool._lanes:  # type: ignore[attr-defined]
                if lane.index >= 0:
                    lane._readable()
            lanes._loops._ask_all()  # type: ignore[attr-defined]
        between, waiting = time.process_time_ns(), worker._recorder.waiting
        worker._recorder.flush()
        work.append((between - began) / waiting / 1000)
        rows.append((time.process_time_ns() - between) / waiting / 1000)
    return min(work), min(rows)


def main() -> None:
    """Print the parts."""
    seconds = min(float(sys.argv[1]) if len(sys.argv) > 1 else 3.0, 20.0)
    with subprocess.Popen([sys.executable, load_rate.__file__, "serve"], stdout=subprocess.PIPE) as target:
        assert target.stdout is not None
        port = int(target.stdout.readline())
        try:
            rows = [("bare epoll, send and recv", bare(port, seconds)), ("the same on gevent's loop", on_gevent(port, seconds))]
        finally:
            target.kill()
    with tempfile.TemporaryDirectory() as place:
        work, row = engine(Path(place))
    for name, cost in [*rows, ("the engine's own work", work), ("its row to the disk, by 500", row)]:
        print(f"{name:28} {cost:6.1f} us a request")
    sys.stdout.flush()
    os._exit(0)  # the worker was never run, and has nothing to close


if __name__ == "__main__":
    main()
