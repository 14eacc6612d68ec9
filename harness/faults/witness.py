"""`python -m harness.faults.witness --listen HOST:PORT --ports 5432,6379`: which connections carried bytes, by the kernel.

The real Toxiproxy keeps no accounts of what its toxics touched. This runs beside it, in the same network namespace, and
reads the kernel's own counters of the connections to its links. Standard library only.

GET /traffic?port=5432&since_ns=N answers `{"now_ns": ..., "gateway": ..., "carried": n, "ended": m}`: of the connections that
were there before N (wall clock of this process), how many carried bytes after it and how many are gone. Our own probes come
from the gateway of the network, through the published port, and are left out.
"""

import argparse
import http.server
import ipaddress
import json
import socket
import struct
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_EVERY_S = 0.05
_KEEP_NS = 900_000_000_000
_SOCK_DIAG_BY_FAMILY = 20
_NLMSG_DONE = 3
_DUMP = 0x301
_INFO = 2
_LISTEN = 10
_BYTES_RECEIVED_AT = 128
"""Of `struct tcp_info` in linux/tcp.h: tcpi_bytes_received, Linux 4.1 and later."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection to a link as the kernel shows it. cookie: the kernel's own number for it, never used twice."""

    cookie: int
    port: int
    peer: str
    received_bytes: int


@dataclass(slots=True)
class _Seen:
    port: int
    received_bytes: int
    first_ns: int
    carried_ns: int
    ended_ns: int | None = None


class Accounts:
    """What became of every connection, from the snapshots. For use from several threads."""

    def __init__(self, ports: frozenset[int], not_from: str | None) -> None:
        self._ports = ports
        self._not_from = not_from
        self._seen: dict[int, _Seen] = {}
        self._lock = threading.Lock()

    def note(self, connections: Iterator[Connection], now_ns: int) -> None:
        """Take in one snapshot."""
        with self._lock:
            here = set()
            for found in connections:
                if found.port not in self._ports or found.peer == self._not_from:
                    continue
                here.add(found.cookie)
                seen = self._seen.get(found.cookie)
                if seen is None:
                    self._seen[found.cookie] = _Seen(found.port, found.received_bytes, now_ns, now_ns)
                elif found.received_bytes > seen.received_bytes:
                    seen.received_bytes, seen.carried_ns = found.received_bytes, now_ns
            for cookie, seen in self._seen.items():
                if cookie not in here and seen.ended_ns is None:
                    seen.ended_ns = now_ns
            old = [c for c, s in self._seen.items() if s.ended_ns is not None and s.ended_ns < now_ns - _KEEP_NS]
            for cookie in old:
                del self._seen[cookie]

    def traffic(self, port: int, since_ns: int) -> dict[str, int]:
        """Return how many connections that were there before carried bytes after `since_ns`, and how many are gone."""
        with self._lock:
            mine = [seen for seen in self._seen.values() if seen.port == port and seen.first_ns <= since_ns]
            # Seen to have grown within the snapshot after `since_ns` may mean before it: one more snapshot is sure.
            sure_ns = since_ns + round(_EVERY_S * 1e9)
            return {
                "carried": sum(seen.carried_ns > sure_ns for seen in mine),
                "ended": sum(seen.ended_ns is not None and seen.ended_ns > since_ns for seen in mine),
            }


def connections() -> Iterator[Connection]:
    """Yield every TCP connection of this network namespace, from the kernel. Raises OSError."""
    for family in (socket.AF_INET, socket.AF_INET6):
        with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, 4) as diag:
            request = struct.pack("<BBBBI", family, socket.IPPROTO_TCP, 1 << (_INFO - 1), 0, 0xFFF & ~(1 << _LISTEN)) + bytes(48)
            diag.send(struct.pack("<IHHII", 16 + len(request), _SOCK_DIAG_BY_FAMILY, _DUMP, 1, 0) + request)
            yield from _read(diag)


def _read(diag: socket.socket) -> Iterator[Connection]:
    while True:
        data = diag.recv(1 << 17)
        while len(data) >= 16:
            size, kind = struct.unpack_from("<IH", data)
            if kind != _SOCK_DIAG_BY_FAMILY:
                return
            if (found := parse(data[16:size])) is not None:
                yield found
            data = data[(size + 3) & ~3 :]


def parse(message: bytes) -> Connection | None:
    """Return the connection of one `struct inet_diag_msg` and its attributes; None where the kernel tells no counters."""
    port, _ = struct.unpack_from(">HH", message, 4)
    peer = message[24:40]
    cookie = struct.unpack_from("<Q", message, 44)[0]
    position = 72
    while position + 4 <= len(message):
        size, kind = struct.unpack_from("<HH", message, position)
        if size < 4:
            return None
        if kind == _INFO and size >= 4 + _BYTES_RECEIVED_AT + 8:
            received = struct.unpack_from("<Q", message, position + 4 + _BYTES_RECEIVED_AT)[0]
            return Connection(cookie=cookie, port=port, peer=_address(message[0], peer), received_bytes=received)
        position += (size + 3) & ~3
    return None


def _address(family: int, raw: bytes) -> str:
    if family == socket.AF_INET:
        return str(ipaddress.IPv4Address(raw[:4]))
    address = ipaddress.IPv6Address(raw)
    return str(address.ipv4_mapped or address)


def gateway(routes: Path = Path("/proc/net/route")) -> str | None:
    """Return the address that this network reaches the host by; None where there is none."""
    for line in routes.read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if fields[1] == "00000000":
            return str(ipaddress.IPv4Address(struct.pack("<I", int(fields[2], 16))))
    return None


def main() -> None:
    """Watch and answer until ended."""
    parser = argparse.ArgumentParser(prog="python -m harness.faults.witness")
    parser.add_argument("--listen", required=True)
    parser.add_argument("--ports", required=True)
    arguments = parser.parse_args()
    host_is = gateway()
    accounts = Accounts(frozenset(int(port) for port in arguments.ports.split(",")), host_is)
    accounts.note(connections(), time.time_ns())  # fails at once where the kernel tells nothing

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
            now_ns = time.time_ns()
            answer = {
                "now_ns": now_ns,
                "gateway": host_is,
                **accounts.traffic(int(query.get("port", "0")), int(query.get("since_ns", "0"))),
            }
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            del format, args

    host, _, port = arguments.listen.rpartition(":")
    server = http.server.ThreadingHTTPServer((host, int(port)), Handler)
    threading.Thread(target=server.serve_forever, name="witness", daemon=True).start()
    sys.stdout.write('{"event": "ready"}\n')
    sys.stdout.flush()
    while True:
        accounts.note(connections(), time.time_ns())
        time.sleep(_EVERY_S)


if __name__ == "__main__":
    main()
