"""Code of the user's connects where it was allowed to, and nowhere else: looked at in each connect, whoever makes it.

Python tells its audit hooks of every connection before it is made, whatever library asks for it, gevent's too.
"""

import ipaddress
import socket
import sys
import time
from collections.abc import Callable, Collection

from gevent import monkey

_WATCHED = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_RESOLVE_EVERY_S = 1.0


class OnlyAllowed:
    """Refuses connections that leave this machine, but to the hosts that were typed on a command line.

    on_refused: told of the first address that was refused; the connect itself raises PermissionError. Once made it
    stays as long as the process: an audit hook cannot be taken back.
    """

    def __init__(self, allowed_hosts: Collection[str], on_refused: Callable[[str], None]) -> None:
        self._hosts = tuple(allowed_hosts)
        self._on_refused = on_refused
        self._known: set[str] = set()
        self._resolved_at = float("-inf")
        self._getaddrinfo = monkey.get_original("socket", "getaddrinfo")
        sys.addaudithook(self._hear)

    def allows(self, host: str) -> bool:
        """Return whether a connection to this address may be made."""
        for text in _numbers_of(host, self._getaddrinfo):
            if is_here(text) or text in self._hosts or text in self._known:
                continue
            if time.monotonic() - self._resolved_at > _RESOLVE_EVERY_S:  # a name may have moved since
                self._resolved_at = time.monotonic()
                self._known |= {number for name in self._hosts for number in _numbers_of(name, self._getaddrinfo)}
            if text not in self._known:
                return False
        return True

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if event not in _WATCHED:
            return
        address = arguments[1] if len(arguments) > 1 else None
        if not isinstance(address, tuple) or not address or not isinstance(address[0], str):
            return  # a Unix socket, or one that was connected before
        if not self.allows(address[0]):
            self._on_refused(address[0])
            raise PermissionError(f"{address[0]} is not on this machine and was not allowed on the command line")


def is_here(text: str) -> bool:
    """Return whether a numeric address is this machine."""
    number = ipaddress.ip_address(text.partition("%")[0])
    mapped = getattr(number, "ipv4_mapped", None)
    number = mapped or number
    return number.is_loopback or number.is_unspecified


def _numbers_of(host: str, getaddrinfo: Callable[..., list[tuple[object, ...]]]) -> set[str]:
    """Return the numeric addresses of a host; of a number itself."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        try:
            found = getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return {"0.0.0.1"}  # nowhere: what cannot be resolved was not allowed
        return {str(entry[4][0]) for entry in found}  # type: ignore[index] # (family, type, proto, name, (host, port))
    return {host.partition("%")[0]}
