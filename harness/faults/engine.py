"""The container engine's own HTTP interface, over its socket. Standard library only: the guardian speaks it too."""

import contextlib
import http.client
import io
import json
import os
import socket
import tarfile
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import StackError

_TIMEOUT_S = 10.0
_INSTALL = "install Docker or Podman and start it, or use --target embedded, which needs neither"


class EngineError(StackError):
    """The engine cannot be reached, or said no. status: of its answer, None where there was none."""

    def __init__(self, message: str, *, status: int | None = None, advice: str | None = None) -> None:
        super().__init__(message, advice=advice)
        self.status = status


@contextlib.contextmanager
def engine_stays() -> Iterator[None]:
    """Ask an engine about what is running: one that is gone is said to have gone, which is not "install one".

    What an engine refuses is raised as it stands. Raises EngineError.
    """
    try:
        yield
    except EngineError as error:
        if error.status is not None:
            raise
        raise EngineError(
            f"the container engine went away in the middle of the run: {error.message}",
            advice="start it again (sudo systemctl start docker), then let `harness clean` remove what the run left at it",
        ) from error


class Engine:
    """One container engine. For use from any thread; a connection a call.

    address: `unix:///path` or `http://127.0.0.1:2375`.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._parts = urllib.parse.urlsplit(address)

    @classmethod
    def find(cls, environment: Mapping[str, str] | None = None) -> "Engine":
        """Return the engine that this user has, seen to answer. Raises EngineError that says what to do."""
        engine = cls(find_address(os.environ if environment is None else environment))
        engine.version()
        return engine

    def version(self) -> str:
        """Return the version of the engine. Raises EngineError."""
        return str(self.ask("GET", "/version", timeout_s=5.0).get("Version", "?"))

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        timeout_s: float = _TIMEOUT_S,
    ) -> Any:
        """Return the answer as JSON, None where it is empty. Raises EngineError."""
        data = self.ask_raw(method, path, query=query, body=body, timeout_s=timeout_s)
        try:
            return json.loads(data) if data.strip() else None
        except ValueError as error:
            raise EngineError(f"the container engine at {self.address} answered {method} {path} with no JSON") from error

    def ask_raw(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        timeout_s: float = _TIMEOUT_S,
    ) -> bytes:
        """Return the answer's bytes. Raises EngineError."""
        payload = None if body is None else json.dumps(body).encode()
        return self._send(method, path, query, payload, "application/json", timeout_s)

    def _send(
        self, method: str, path: str, query: Mapping[str, str] | None, payload: bytes | None, kind: str, timeout_s: float
    ) -> bytes:
        connection = self._connection(timeout_s)
        target = f"{path}?{urllib.parse.urlencode(query)}" if query else path
        try:
            connection.request(method, target, payload, {"Content-Type": kind, "Host": "engine"})
            response = connection.getresponse()
            data = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error
        finally:
            connection.close()
        if response.status >= 400:
            raise EngineError(f"the container engine refuses {method} {path}: {_reason(data)}", status=response.status)
        return data

    def logs(self, container_id: str, *, since_s: float | None = None) -> bytes:
        """Return what a container said, both streams in the order said. Raises EngineError.

        since_s: wall clock; with it each line begins with its moment as the engine saw it.
        """
        query = {"stdout": "1", "stderr": "1"} | ({} if since_s is None else {"since": f"{since_s:.9f}", "timestamps": "1"})
        return _without_frames(self.ask_raw("GET", f"/containers/{container_id}/logs", query=query, timeout_s=20.0))

    def execute(self, container_id: str, command: Sequence[str], *, user: str = "root") -> tuple[int, str]:
        """Run a command in a container; return (exit code, what it said). Raises EngineError."""
        asked = {"AttachStdout": True, "AttachStderr": True, "Cmd": list(command), "User": user}
        made = str(self.ask("POST", f"/containers/{container_id}/exec", body=asked)["Id"])
        said = _without_frames(self.ask_raw("POST", f"/exec/{made}/start", body={"Detach": False, "Tty": False}))
        return int(self.ask("GET", f"/exec/{made}/json")["ExitCode"] or 0), said.decode(errors="replace")

    def put_file(self, container_id: str, path: Path, text: str) -> None:
        """Put a file that all may read into a container, running or not, where it has a volume. Raises EngineError.

        For a moment there is no such file: a reader must bear that.
        """
        buffer, data = io.BytesIO(), text.encode()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            info = tarfile.TarInfo(path.name)
            info.size, info.mode = len(data), 0o444
            tar.addfile(info, io.BytesIO(data))
        where, query = f"/containers/{container_id}/archive", {"path": str(path.parent)}
        self._send("PUT", where, query, buffer.getvalue(), "application/x-tar", _TIMEOUT_S)

    def _connection(self, timeout_s: float) -> http.client.HTTPConnection:
        if self._parts.scheme == "unix":
            return _UnixConnection(self._parts.path, timeout_s)
        return http.client.HTTPConnection(self._parts.hostname or "", self._parts.port or 2375, timeout=timeout_s)

    def _unreachable(self, error: Exception) -> EngineError:
        where = self._parts.path or self.address
        if isinstance(error, PermissionError):
            return EngineError(
                f"no permission on the container engine's socket {where}",
                advice="sudo usermod -aG docker $USER, then log in again; or use --target embedded",
            )
        if isinstance(error, FileNotFoundError):
            return EngineError(f"no container engine: there is no socket at {where}", advice=_INSTALL)
        if isinstance(error, ConnectionRefusedError):
            return EngineError(
                f"the container engine behind {where} does not run", advice="sudo systemctl start docker, or --target embedded"
            )
        why = "it did not answer in time" if isinstance(error, TimeoutError) else (str(error) or type(error).__name__)
        return EngineError(f"the container engine at {where} cannot be reached: {why}", advice="does `docker info` work?")


def find_address(environment: Mapping[str, str]) -> str:
    """Return where the user's engine listens: DOCKER_HOST, or the first usual socket that is there. Raises EngineError.

    Only an engine of this machine: load goes to ports on 127.0.0.1.
    """
    configured = environment.get("DOCKER_HOST", "")
    if configured:
        address = "http://" + configured.removeprefix("tcp://") if configured.startswith("tcp://") else configured
        parts = urllib.parse.urlsplit(address)
        if parts.scheme == "unix" or (parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost", "::1"}):
            return address
        raise EngineError(
            f"DOCKER_HOST={configured} is not an engine of this machine; containers are tested through ports on 127.0.0.1",
            advice="unset DOCKER_HOST, or set it to a unix:// socket of this machine",
        )
    sockets = [Path("/var/run/docker.sock")]
    if runtime := environment.get("XDG_RUNTIME_DIR"):
        sockets += [Path(runtime) / "docker.sock", Path(runtime) / "podman/podman.sock"]
    if home := environment.get("HOME"):
        sockets += [Path(home) / ".docker/run/docker.sock", Path(home) / ".docker/desktop/docker.sock"]
    for path in sockets:
        with contextlib.suppress(OSError):
            if path.is_socket():
                return f"unix://{path}"
    raise EngineError(f"no container engine: no socket at {', '.join(map(str, sockets))}", advice=_INSTALL)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("engine", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket in the file system."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _without_frames(data: bytes) -> bytes:
    """Return a log without the eight bytes before each piece; a container with a terminal has none."""
    pieces: list[bytes] = []
    position = 0
    while position + 8 <= len(data):
        if data[position] > 2 or data[position + 1 : position + 4] != b"\0\0\0":
            return data
        size = int.from_bytes(data[position + 4 : position + 8], "big")
        pieces.append(data[position + 8 : position + 8 + size])
        position += 8 + size
    return b"".join(pieces)


def _reason(data: bytes) -> str:
    try:
        return str(json.loads(data)["message"])
    except (ValueError, KeyError, TypeError):
        return data[:200].decode(errors="replace").strip()
