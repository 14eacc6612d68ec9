"""Addresses as Go writes them: `host:port`, `:port`, `[::1]:port`."""

import asyncio
import contextlib
import os
import socket

from harness.faultproxy.failure import ApiError, bad_request, server_error

Address = tuple[str, int]


def split_address(text: str) -> Address:
    """Return host and port of an address; an empty host is kept. Raises ApiError (500) with Toxiproxy's words."""
    host, colon, port = text.rpartition(":")
    if not colon or (host.startswith("[") != host.endswith("]")):
        raise server_error(f"address {text}: missing port in address")
    if host.startswith("["):
        host = host[1:-1]
    elif ":" in host:
        raise server_error(f"address {text}: too many colons in address")
    if not (port.isascii() and port.isdigit() and int(port) < 65536) and port:
        raise server_error(f"address {text}: invalid port; allowed: 0 to 65535")
    return host, int(port or 0)


def checked_upstream(text: str) -> Address:
    """Return host and port to dial. Raises ApiError (400): Toxiproxy takes anything, and fails at each connection."""
    try:
        host, port = split_address(text)
    except ApiError as error:
        raise bad_request(f"upstream: {error.message}; allowed: host:port") from error
    if port == 0:
        raise bad_request(f"upstream: address {text}: nothing listens on port 0; allowed: host:port")
    return host or "127.0.0.1", port


def joined(host: str, port: int) -> str:
    """Return an address as Go writes it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def resolve(text: str) -> tuple[socket.AddressFamily, Address]:
    """Return family and numeric address to listen on; IPv4 first, an empty host is every interface.

    Raises ApiError (500).
    """
    host, port = split_address(text) if text else ("", 0)
    if not host:
        return (socket.AF_INET6, ("::", port)) if socket.has_dualstack_ipv6() else (socket.AF_INET, ("0.0.0.0", port))  # noqa: S104 - Go's meaning of an empty host
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise server_error(f"listen tcp: lookup {host}: {error.strerror}") from error
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, (str(address[0]), port)


async def listen_socket(text: str) -> socket.socket:
    """Return a bound socket for an address. Raises ApiError (500)."""
    family, address = await resolve(text)
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and address[0] == "::":
            with contextlib.suppress(OSError):
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listening.bind(address)
        listening.listen(4096)
    except OSError as error:
        listening.close()
        raise bind_refused(text, error) from error
    return listening


def bind_refused(text: str, error: OSError) -> ApiError:
    """Return the refusal for an address that cannot be bound, in Toxiproxy's words."""
    reason = os.strerror(error.errno).lower() if error.errno else str(error)
    return server_error(f"listen tcp {text}: bind: {reason}")
