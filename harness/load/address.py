"""Where the load goes: one address, resolved once, and refused where nobody allowed it."""

import ipaddress
import socket
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from harness.errors import LoadError


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One resolved address. host_header: what the request's `Host` says. tls_name: whose certificate it must show, if any."""

    family: int
    sockaddr: tuple[str, int]
    host_header: str
    tls_name: str | None = None

    def __str__(self) -> str:
        return self.host_header


def resolve(base_url: str, allowed_hosts: Collection[str] = ()) -> Address:
    """Return the address of a base URL. Raises LoadError on anything but HTTP or HTTPS to this machine or an allowed host.

    Load on a machine that did not ask for it is an attack, so the engine itself refuses to leave loopback but for hosts
    that somebody typed on a command line. Resolved once: a name that points elsewhere later changes nothing.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or parts.hostname is None:
        raise LoadError(f"the load engine cannot send to {base_url!r}; it speaks http://HOST:PORT and https://HOST:PORT")
    if parts.path not in ("", "/") or parts.query or parts.username:
        raise LoadError(f"the base URL {parts.scheme}://{parts.hostname} must end after its port")
    try:
        tls_name = parts.hostname if parts.scheme == "https" else None
        port = parts.port or (443 if tls_name else 80)
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:
        raise LoadError(f"cannot resolve {parts.netloc}: {error}") from error
    for family, _, _, _, sockaddr in sorted(found, key=lambda entry: entry[0]):  # IPv4 first: what local servers bind
        if ipaddress.ip_address(sockaddr[0]).is_loopback or {parts.hostname, sockaddr[0]} & set(allowed_hosts):
            return Address(
                family=family, sockaddr=(str(sockaddr[0]), int(sockaddr[1])), host_header=parts.netloc, tls_name=tls_name
            )
    raise LoadError(
        f"{parts.hostname} is not on this machine ({found[0][4][0]})",
        advice="load goes to loopback addresses, and to hosts that were allowed on the command line",
    )
