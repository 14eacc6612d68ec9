"""Requests of the control process to the target: to addresses that somebody allowed, past every proxy, never redirected."""

import http.client
import ipaddress
import json
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from harness.errors import ConfigurationError, StackError

MAX_BODY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer. headers: lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> object:
        """Return the body as JSON; None where it is none."""
        try:
            value: object = json.loads(self.body)
        except ValueError:
            return None
        return value


class Caller:
    """One base URL, resolved once: a name that points elsewhere later changes nothing.

    Raises ConfigurationError where the address is not loopback and its host was not allowed on the command line.
    """

    def __init__(self, base_url: str, allowed: Collection[str] = ()) -> None:
        parts = urlsplit(base_url)
        if parts.scheme != "http" or parts.hostname is None:
            raise ConfigurationError(f"{base_url!r} is no base URL of this harness; write http://HOST:PORT")
        self.host_header = parts.netloc
        self.base_path = parts.path.rstrip("/")
        self.address = resolve(parts.hostname, parts.port or 80, allowed)

    @property
    def origin(self) -> str:
        """The base URL without its path."""
        return f"http://{self.host_header}"

    def get(self, path: str, *, headers: Mapping[str, str] | None = None, timeout_s: float = 5.0) -> Answer:
        """Ask; return any answer, redirects too. Raises StackError where there is none."""
        return self.ask("GET", path, headers=headers, timeout_s=timeout_s)

    def post(self, path: str, body: object, *, headers: Mapping[str, str] | None = None, timeout_s: float = 10.0) -> Answer:
        """Send JSON; return any answer, redirects too. Raises StackError where there is none."""
        data = json.dumps(body).encode()
        given = {"Content-Type": "application/json", **(headers or {})}
        return self.ask("POST", path, headers=given, body=data, timeout_s=timeout_s)

    def ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None, timeout_s: float
    ) -> Answer:
        """Send one request on a connection of its own."""
        connection = http.client.HTTPConnection(self.host_header, timeout=timeout_s)
        try:
            connection.sock = socket.create_connection(self.address, timeout=timeout_s)
            connection.request(method, self.base_path + path, body, {"Accept-Encoding": "identity", **(headers or {})})
            response = connection.getresponse()
            return Answer(
                status=response.status,
                headers={name.lower(): value for name, value in response.getheaders()},
                body=response.read(MAX_BODY_BYTES),
            )
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise StackError(f"{method} {self.origin}{self.base_path}{path} was not answered: {_why(error)}") from None
        finally:
            connection.close()


def resolve(host: str, port: int, allowed: Collection[str]) -> tuple[str, int]:
    """Return the address to connect to: on loopback, or of a host that was allowed. Raises ConfigurationError."""
    found = _addresses(host, port)
    permitted = {address for name in allowed for address in _addresses(name, port, quiet=True)}
    for address in found:
        if ipaddress.ip_address(address).is_loopback or address in permitted:
            return address, port
    raise ConfigurationError(
        f"{host} is not this machine ({found[0]}): nothing is sent there",
        advice=f"if you may load it, say so on the command line: --allow {host}",
    )


def _addresses(host: str, port: int, *, quiet: bool = False) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:
        if quiet:
            return []
        raise ConfigurationError(f"{host} cannot be resolved: {error}", advice="is `base_url` spelled right?") from None
    ordered = sorted(found, key=lambda entry: entry[0])  # IPv4 first: what local servers bind
    return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in ordered))


def _why(error: BaseException) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, http.client.BadStatusLine):
        return "what came back is no HTTP; does it want TLS?"
    return str(error) or type(error).__name__
