"""Where a stack of containers is built: start a part, wait until it is ready, say what went wrong where it is not."""

import contextlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from harness.errors import HarnessError, StackError, StorageError
from harness.faults.engine import Engine, EngineError
from harness.model.target import ContainerHandle
from harness.target.containers import label
from harness.target.containers.create import container_of, engine_errors
from harness.target.containers.part import Part
from harness.target.embedded.site import GivenUpError, port_taken
from harness.target.supervise.logs import Mask, last_lines

T = TypeVar("T")

_POLL_S = 0.05
_GRACE_S = 3.0


class ContainerSite:
    """A stack under construction: a network of its own, and every container on it labelled with the run.

    Safe to use from several threads; `give_up` ends all their waiting.
    """

    def __init__(self, engine: Engine, *, logs: Path, mask: Mask) -> None:
        """Make nothing yet: see `open`."""
        self.engine = engine
        self.stack_id = secrets.token_hex(8)
        self.logs = logs.resolve()
        self.mask = mask
        self._run = self.logs.parent.name
        self._given_up = threading.Event()
        self._lock = threading.Lock()
        self._containers: dict[str, ContainerHandle] = {}
        self._ports: dict[tuple[str, int], int] = {}
        self._taken: set[int] = set()
        self._stopped = False
        self._network: Any = None

    def open(self) -> None:
        """Make the folder of the logs and the network; `stop` removes the network, also where this was cut short.

        Raises StackError or StorageError.
        """
        from testcontainers.core.network import Network

        try:
            self.logs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"cannot write {self.logs}: {error.strerror}") from error
        with engine_errors("network"):
            self._network = Network(docker_network_kw={"labels": label.labels(self.stack_id, self._run, "network")})
            self._network.name = f"llm-harness-{self.stack_id}"
            self._network.create()

    def give_up(self) -> None:
        """Let everyone who waits here stop waiting."""
        self._given_up.set()

    def handles(self) -> dict[str, ContainerHandle]:
        """Return every container that was started, by its name."""
        with self._lock:
            return dict(self._containers)

    def log(self, name: str) -> Path:
        """Return where what a container said is kept; written when the stack stops, or the container fails."""
        return self.logs / f"{name}.log"

    def address(self, name: str, port: int) -> str:
        """Return where this host reaches a published port: `127.0.0.1:PORT`, the same after a restart."""
        return f"127.0.0.1:{self._ports[name, port]}"

    def start(self, part: Part) -> None:
        """Start a container; another port of ours where somebody took one meanwhile. Raises StackError."""
        for attempt in range(3):
            if self._given_up.is_set():
                raise GivenUpError("another part of the stack did not start")
            try:
                self._start(part)
            except StackError:
                with self._lock:
                    ports = [host for (name, _), host in self._ports.items() if name == part.name]
                self.forget(part.name)
                if attempt == 2 or not any(port_taken(port) for port in ports):
                    raise
            else:
                return

    def wait(self, name: str, ready: Callable[[], T | None], *, within_s: float) -> T:
        """Return what `ready` first returns that is not None. Raises StackError with the container's last words."""
        deadline = time.monotonic() + within_s
        while True:
            if (found := ready()) is not None:
                return found
            state = self.state(name)
            if not state["Running"]:
                raise self._failure(name, f"ended {_ending(state)} before it was ready")
            if self._given_up.is_set():
                raise GivenUpError("another part of the stack did not start")
            if time.monotonic() > deadline:
                raise self._failure(name, f"was not ready within {within_s:.0f} s")
            time.sleep(_POLL_S)

    def wait_ended(self, name: str, *, within_s: float) -> None:
        """Wait for a container that ends by itself. Raises StackError where it fails."""
        deadline = time.monotonic() + within_s
        while (state := self.state(name))["Running"] or state["Status"] == "created":
            if self._given_up.is_set():
                raise GivenUpError("another part of the stack did not start")
            if time.monotonic() > deadline:
                raise self._failure(name, f"did not end within {within_s:.0f} s")
            time.sleep(_POLL_S)
        if state["ExitCode"] != 0:
            raise self._failure(name, f"failed {_ending(state)}")

    def state(self, name: str) -> Mapping[str, Any]:
        """Return the engine's state of a container. Raises StackError."""
        found: Mapping[str, Any] = self.engine.ask("GET", f"/containers/{self._containers[name].container_id}/json")
        return found["State"]  # type: ignore[no-any-return]

    def exit_code(self, name: str) -> int | None:
        """Return the exit code of a container that ended; None where the engine no longer has it."""
        with contextlib.suppress(EngineError):
            return int(self.state(name)["ExitCode"])
        return None

    def states(self) -> dict[str, str]:
        """Return what each container is doing: `running`, `paused`, `exited`. Raises StackError."""
        query = {"all": "1", "filters": json.dumps({"label": [f"{label.STACK}={self.stack_id}"]})}
        return {
            str(found["Labels"][label.NAME]): str(found["State"])
            for found in self.engine.ask("GET", "/containers/json", query=query)
        }

    def said(self, name: str, event: str) -> bool | None:
        """Return True once a container has said `{"event": ...}` on a line; None before."""
        log = self.engine.logs(self._containers[name].container_id)
        return (
            True if any(line.startswith(b"{") and json.loads(line).get("event") == event for line in log.splitlines()) else None
        )

    def keep_log(self, name: str) -> tuple[str, ...]:
        """Write what a container said into the run directory, without secrets; return the last lines. Never raises."""
        handle = self.handles().get(name)
        if handle is not None:
            with contextlib.suppress(HarnessError, OSError):
                text = self.engine.logs(handle.container_id).decode("utf-8", errors="replace")
                self.log(name).write_text(self.mask(text), encoding="utf-8")
        return last_lines(self.log(name), self.mask)

    def stop(self) -> None:
        """Keep the logs, then remove every container and the network, at the engine's own word. May be called twice.

        Where the engine went away, all of it stays: `harness clean` knows it by its labels.
        """
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
        handles = self.handles()
        if not self._answers():
            return  # nothing can be kept or removed, and each attempt would cost its whole patience
        with ThreadPoolExecutor(max_workers=10, thread_name_prefix="stop") as pool:
            list(pool.map(self._take_down, handles))
        deadline = time.monotonic() + _GRACE_S
        while time.monotonic() < deadline:  # what was being made in the moment of the interrupt may appear late
            with contextlib.suppress(EngineError):
                if not self._take_down_rest():
                    break
            time.sleep(0.1)

    def _answers(self) -> bool:
        """Return whether the engine is still there; a busy one may take its time."""
        try:
            self.engine.version()
        except EngineError as error:
            return error.status is not None
        return True

    def _take_down_rest(self) -> bool:
        """Remove what the engine still has of this stack, containers before their network; return whether it had any."""
        query = {"filters": json.dumps({"label": [f"{label.STACK}={self.stack_id}"]})}
        containers = self.engine.ask("GET", "/containers/json", query=query | {"all": "1"})
        for found in containers:
            self._remove(str(found["Id"]))
        networks = self.engine.ask("GET", "/networks", query=query)
        for found in networks:
            with contextlib.suppress(EngineError):
                self.engine.ask("DELETE", f"/networks/{found['Id']}")
        return bool(containers or networks)

    def _take_down(self, name: str) -> None:
        self.keep_log(name)
        self._remove(self.handles()[name].container_id)

    def _remove(self, container_id: str) -> None:
        with contextlib.suppress(EngineError):
            self.engine.ask("DELETE", f"/containers/{container_id}", query={"force": "1", "v": "1"})

    def _start(self, part: Part) -> None:
        container = container_of(part, self._handle_id(part.inside), self._handle_id(part.files_of))
        ports = {port: self._free_port() for port in part.published}
        container.ports = {f"{port}/tcp": ("127.0.0.1", host) for port, host in ports.items()}
        container.with_kwargs(
            **container._kwargs,
            labels=label.labels(self.stack_id, self._run, part.name),
        )
        if part.inside is None:
            container.with_network(self._network).with_network_aliases(part.name)
        container.with_name(f"llm-harness-{self.stack_id[:8]}-{part.name}")
        try:
            with engine_errors(part.name):
                container.start()
        finally:
            if container._container is not None:
                networks = {} if part.inside else {self._network.name: (part.name,)}
                handle = ContainerHandle(
                    name=part.name, container_id=container._container.id, engine=self.engine.address, networks=networks
                )
                with self._lock:
                    self._containers[part.name] = handle
                    self._ports.update({(part.name, port): host for port, host in ports.items()})

    def forget(self, name: str) -> None:
        """Remove a container; the stack knows it no more."""
        with self._lock:
            handle = self._containers.pop(name, None)
        if handle is not None:
            self._remove(handle.container_id)

    def _handle_id(self, name: str | None) -> str | None:
        return None if name is None else self._containers[name].container_id

    def _free_port(self) -> int:
        """Return a port of 127.0.0.1 that is free now; named, since the engine would deal a new one at each restart."""
        for _ in range(200):
            port = 20_000 + secrets.randbelow(12_000)
            with self._lock:
                if port not in self._taken and not port_taken(port):
                    self._taken.add(port)
                    return port
        raise StackError("no free port found on 127.0.0.1 between 20000 and 32000", advice="what listens there? see: ss -ltn")

    def _failure(self, name: str, what: str) -> StackError:
        lines = self.keep_log(name)
        said = "".join(f"\n    {line}" for line in lines) or " nothing"
        return StackError(f"container {name} {what}; it said last ({self.log(name)}):{said}")


def _ending(state: Mapping[str, Any]) -> str:
    return f"with exit code {state['ExitCode']}" + (" (out of memory)" if state.get("OOMKilled") else "")
