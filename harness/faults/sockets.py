"""The kernel's own list of connections: proof for a link that is cut, which no proxy keeps accounts of."""

import contextlib
import socket
import struct
from pathlib import Path

_ESTABLISHED = "01"

_SOCK_DIAG = 4  # NETLINK_SOCK_DIAG, which the socket module has no name for
_BY_FAMILY = 20  # SOCK_DIAG_BY_FAMILY
_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
_HEADER = struct.Struct("=IHHII")
_ERROR, _DONE = 2, 3
_WITHIN_S = 0.2


def live_connections(listen: str) -> int:
    """Return how many connections are established at a listening address of this host.

    listen: `host:port`; of the host only its family is looked at. 0 also where the listener lives elsewhere or the list
    cannot be read. Asks the kernel for the established ones alone: on a busy host its table as text, which this falls
    back to, takes tens of milliseconds for all the ended ones.
    """
    host, _, port = listen.rpartition(":")
    # A listener on an IPv6 or any address has IPv4 clients in the IPv6 table.
    version_4 = host.count(".") == 3 and ":" not in host
    with contextlib.suppress(OSError, struct.error):
        return _asked(socket.AF_INET if version_4 else socket.AF_INET6, int(port))
    return _read(Path("/proc/net/tcp" if version_4 else "/proc/net/tcp6"), int(port))


def _asked(family: socket.AddressFamily, port: int) -> int:
    """Return the count by sock_diag(7). Raises OSError where the kernel does not offer it."""
    body = struct.pack("=BBBxI", family, socket.IPPROTO_TCP, 0, 1 << 1)  # states: a mask, established is 1
    body += struct.pack("!HH", port, 0) + bytes(36) + b"\xff" * 8  # addresses and interface: any; cookie: none
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as kernel:
        kernel.settimeout(_WITHIN_S)
        kernel.send(_HEADER.pack(_HEADER.size + len(body), _BY_FAMILY, _DUMP, 1, 0) + body)
        found = 0
        while True:
            data = kernel.recv(1 << 16)
            at = 0
            while at < len(data):
                length, kind, *_ = _HEADER.unpack_from(data, at)
                if kind == _DONE:
                    return found
                if kind == _ERROR or length < _HEADER.size:
                    raise OSError("sock_diag is not offered")
                # The kernel may hand over more than was asked for: look at the source port itself.
                found += struct.unpack_from("!H", data, at + _HEADER.size + 4)[0] == port
                at += (length + 3) & ~3


def _read(table: Path, port: int) -> int:
    try:
        lines = table.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    ending = f":{port:04X}"
    near = (line.split() for line in lines if ending in line)
    return sum(fields[1].endswith(ending) and fields[3] == _ESTABLISHED for fields in near)
