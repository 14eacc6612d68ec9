"""One connection to a Redis or Valkey, spoken in its own protocol. Standard library only: the guardian speaks it too."""

import socket
from collections.abc import Sequence
from typing import BinaryIO

from harness.errors import FaultError

Reply = str | int | None | list["Reply"]


class StoreError(FaultError):
    """The store answered with an error. code: its first word, `READONLY`."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code = message.partition(" ")[0]


class Store:
    """A connection; a context manager. Every method raises FaultError and ends within `timeout_s`."""

    def __init__(self, address: str, password: str | None, *, timeout_s: float = 1.0) -> None:
        """Connect and log in. address: `host:port`."""
        self._at = f"the store at {address}"
        host, _, port = address.rpartition(":")
        try:
            self._connection = socket.create_connection((host, int(port)), timeout=timeout_s)
        except OSError as error:
            raise UnreachableError(f"{self._at} cannot be reached: {error}") from error
        self._file: BinaryIO = self._connection.makefile("rb")
        try:
            if password:
                self.call("AUTH", password)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._file.close()
        self._connection.close()

    def call(self, *words: str | int) -> Reply:
        """Return the answer to one command. Raises StoreError where the store says no."""
        try:
            self._connection.sendall(_written([str(word) for word in words]))
            return self._reply()
        except (OSError, ValueError) as error:
            raise FaultError(f"{self._at} does not answer {words[0]}: {error}") from error

    def setting(self, name: str) -> str:
        """Return one setting of its configuration."""
        reply = self.call("CONFIG", "GET", name)
        if not isinstance(reply, list) or len(reply) != 2:
            raise FaultError(f"{self._at} has no setting {name!r}")
        return str(reply[1])

    def info(self, section: str) -> dict[str, str]:
        """Return one section of INFO."""
        lines = str(self.call("INFO", section)).splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def _reply(self) -> Reply:
        line = self._file.readline()
        if not line.endswith(b"\r\n"):
            raise ValueError("the connection was closed")
        kind, text = line[:1], line[1:-2].decode(errors="replace")
        match kind:
            case b"+":
                return text
            case b"-":
                raise StoreError(text)
            case b":":
                return int(text)
            case b"$":
                if int(text) < 0:
                    return None
                data = self._file.read(int(text) + 2)
                if len(data) != int(text) + 2:
                    raise ValueError("the connection was closed")
                return data[:-2].decode(errors="replace")
            case b"*":
                return [self._reply() for _ in range(max(0, int(text)))]
        raise ValueError(f"no answer that can be read: {line[:40]!r}")


class UnreachableError(FaultError):
    """Nobody is there."""


def _written(words: Sequence[str]) -> bytes:
    parts = [f"*{len(words)}\r\n".encode()]
    for word in words:
        data = word.encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)
