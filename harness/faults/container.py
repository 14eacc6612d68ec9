"""Process faults on containers, by their engine: kill, pause, restart, limits, network disconnect."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from harness.errors import FaultError, HarnessError
from harness.faults.container_names import NOBODY, read_resolver, write_resolver
from harness.faults.container_undo import restore
from harness.faults.engine import Engine, EngineError
from harness.faults.guardian.undo import ContainerStep, UndoStep
from harness.model.fault import Acted, ActedBy, Fault
from harness.model.fault_kinds import FAULT_KINDS, complete
from harness.model.target import ContainerHandle

_ENDING = frozenset({"kill", "terminate", "restart"})
_CPU_PERIOD_US = 100_000
_SETTLE_S = 5.0
INTERNAL_ERROR = 500
PAUSE_TRIES = 3
_PAUSE_AGAIN_S = 0.3


class ContainerBackend:
    """Faults on the containers of a target. See `Backend`.

    await_ready: waits until a container that was started again answers; without it, running is enough.
    """

    def __init__(self, containers: Mapping[str, ContainerHandle], await_ready: Callable[[str], None] | None = None) -> None:
        self._containers = dict(containers)
        self._await_ready = await_ready
        self._steps: dict[str, tuple[ContainerStep, ...]] = {}
        self._started_at: dict[str, str] = {}

    def cycle(self, fault: Fault, name: str, *, within_s: float) -> None:
        """Tell a container to end, see it gone, and start it again. Raises FaultError."""
        aimed = replace(fault, at=f"processes.{name}", kind="terminate", parameters={"within": round(within_s * 1000)})
        handle = self._handle(aimed)
        _do(aimed, Engine(handle.engine), "POST", f"/containers/{handle.container_id}/kill", query={"signal": "SIGTERM"})
        self._wait_ended(aimed)
        self._start(aimed)

    def undo_steps(self, fault: Fault) -> tuple[UndoStep, ...]:
        """Return what brings the container back to how it is now."""
        handle, found = self._look(fault)
        steps = self._steps[fault.id] = _undo(fault, handle, found)
        return steps

    def apply(self, fault: Fault) -> None:
        """Have the engine do it. Raises FaultError where the container is not up, or is in a fault's hands already."""
        handle, found = self._look(fault)
        state = found["State"]
        if not state["Running"] or state["Paused"]:
            raise FaultError(f"{fault.id}: {fault.at} is {state['Status']} before any fault is applied")
        self._steps.setdefault(fault.id, _undo(fault, handle, found))
        self._started_at[fault.id] = str(state["StartedAt"])
        engine, place = Engine(handle.engine), f"/containers/{handle.container_id}"
        values = complete(FAULT_KINDS[fault.kind], fault.parameters)
        match fault.kind:
            case "freeze":
                _pause(fault, engine, place)
            case "kill":
                _do(fault, engine, "POST", f"{place}/kill", query={"signal": "SIGKILL"})
            case "terminate" | "restart":
                _do(fault, engine, "POST", f"{place}/kill", query={"signal": "SIGTERM"})
            case "cpu_limit":
                quota_us = max(1000, round(float(values["cores"]) * _CPU_PERIOD_US))
                _do(fault, engine, "POST", f"{place}/update", body={"CpuPeriod": _CPU_PERIOD_US, "CpuQuota": quota_us})
            case "memory_limit":
                limit_bytes = int(values["megabytes"]) << 20
                _do(fault, engine, "POST", f"{place}/update", body={"Memory": limit_bytes, "MemorySwap": limit_bytes})
            case "disconnect":
                for network in handle.networks:
                    body = {"Container": handle.container_id, "Force": True}
                    _do(fault, engine, "POST", f"/networks/{network}/disconnect", body=body)
            case "no_names":
                with _of(fault):
                    write_resolver(engine, handle.container_id, NOBODY)
            case other:
                raise FaultError(f"{fault.id}: the container engine knows no {other}")
        if fault.kind == "restart":
            self._wait_ended(fault)
            self._start(fault)

    def confirm(self, fault: Fault) -> None:
        """See the engine show it."""
        if fault.kind in {"kill", "terminate"}:
            self._wait_ended(fault)
        elif not self.in_force(fault):
            raise FaultError(f"{fault.id}: {fault.kind} was asked of the engine, which does not show it at {fault.at}")

    def in_force(self, fault: Fault) -> bool:
        """Return whether the engine shows it."""
        handle, found = self._look(fault)
        state, host = found["State"], found["HostConfig"]
        values = complete(FAULT_KINDS[fault.kind], fault.parameters)
        match fault.kind:
            case "freeze":
                return bool(state["Paused"])
            case "restart":
                return bool(state["StartedAt"] != self._started_at.get(fault.id))
            case "cpu_limit":
                return bool(host["CpuQuota"] == max(1000, round(float(values["cores"]) * _CPU_PERIOD_US)))
            case "memory_limit":
                return bool(host["Memory"] == int(values["megabytes"]) << 20)
            case "no_names":
                with _of(fault):
                    return read_resolver(Engine(handle.engine), handle.container_id) == NOBODY
            case "disconnect":
                return not set(handle.networks) & set(found["NetworkSettings"]["Networks"])
        return not state["Running"]

    def clear(self, fault: Fault) -> None:
        """Bring the container back, and wait for it where it was started again."""
        steps = self._steps.get(fault.id, ())
        if not steps:
            return
        if any(step.do == "start" for step in steps) and not self._look(fault)[1]["State"]["Running"]:
            self._start(fault)
            return
        handle = self._handle(fault)
        for step in steps:
            try:
                restore(Engine(handle.engine), step)
            except EngineError as error:
                raise FaultError(f"{fault.id}: {fault.at} could not be brought back: {error.message}") from error

    def prove_clear(self, fault: Fault) -> None:
        """See it running, not paused, with its limits and networks of before."""
        if fault.id not in self._steps:
            return
        handle, found = self._look(fault)
        if not found["State"]["Running"] or found["State"]["Paused"]:
            raise FaultError(
                f"{fault.id}: {fault.at} is {found['State']['Status']}", advice=f"by hand: docker start {handle.name}"
            )
        if fault.kind not in _ENDING and fault.kind != "freeze" and self.in_force(fault):
            raise FaultError(f"{fault.id}: {fault.kind} is still in force at {fault.at}")

    def acted(self, fault: Fault) -> Acted | None:
        """Return 1: the engine showed the container stopped, paused, limited or cut off when the fault was confirmed."""
        self._started_at.pop(fault.id, None)
        return None if self._steps.pop(fault.id, None) is None else Acted(by=ActedBy.TARGET, count=1)

    def renew(self, lease_s: float) -> None:
        """Nothing: an engine knows no lease; the guardian gives it one."""

    def release(self) -> None:
        """Nothing: see `renew`."""

    def _handle(self, fault: Fault) -> ContainerHandle:
        name = fault.at.removeprefix("processes.").removeprefix("containers.")
        try:
            return self._containers[name]
        except KeyError:
            known = ", ".join(sorted(self._containers)) or "none"
            raise FaultError(f"{fault.id}: the running target has no container {name!r}; it has {known}") from None

    def _look(self, fault: Fault) -> tuple[ContainerHandle, dict[str, Any]]:
        handle = self._handle(fault)
        return handle, _do(fault, Engine(handle.engine), "GET", f"/containers/{handle.container_id}/json")

    def _wait_ended(self, fault: Fault) -> None:
        within_ms = complete(FAULT_KINDS[fault.kind], fault.parameters).get("within", _SETTLE_S * 1000)
        deadline = time.monotonic() + float(within_ms) / 1000
        while self._look(fault)[1]["State"]["Running"]:
            if time.monotonic() > deadline:
                raise FaultError(f"{fault.id}: {fault.at} has not ended within {within_ms:.0f} ms")
            time.sleep(0.02)

    def _start(self, fault: Fault) -> None:
        handle = self._handle(fault)
        _do(fault, Engine(handle.engine), "POST", f"/containers/{handle.container_id}/start")
        if self._await_ready is not None:
            try:
                self._await_ready(handle.name)
            except HarnessError as error:
                raise FaultError(f"{fault.id}: {fault.at} did not start again: {error.message}", advice=error.advice) from error


def _undo(fault: Fault, handle: ContainerHandle, found: Mapping[str, Any]) -> tuple[ContainerStep, ...]:
    def step(do: str, **body: object) -> ContainerStep:
        return ContainerStep(engine=handle.engine, container_id=handle.container_id, do=do, body=body)

    host = found["HostConfig"]
    match fault.kind:
        case "freeze":
            return (step("unpause"),)
        case "cpu_limit":  # -1 is the engine's word for "no limit"; 0 would mean "leave it as it is"
            return (step("update", CpuPeriod=host["CpuPeriod"] or _CPU_PERIOD_US, CpuQuota=host["CpuQuota"] or -1),)
        case "memory_limit":
            return (step("update", Memory=host["Memory"] or -1, MemorySwap=host["MemorySwap"] or -1),)
        case "no_names":
            with _of(fault):
                return (step("resolve", Text=read_resolver(Engine(handle.engine), handle.container_id)),)
        case "disconnect":
            return tuple(step("connect", Network=name, Aliases=list(aliases)) for name, aliases in handle.networks.items())
    return (step("start"),)


@contextlib.contextmanager
def _of(fault: Fault) -> Iterator[None]:
    """Say of which fault it is that the engine refuses to help."""
    try:
        yield
    except EngineError as error:
        raise FaultError(f"{fault.id}: {fault.kind} at {fault.at}: {error.message}", advice=error.advice) from error


def _pause(fault: Fault, engine: Engine, place: str) -> None:
    """Freeze a container. The kernel may say no once while a process of it is in the middle of a write: asked again, it does."""
    for left in range(PAUSE_TRIES - 1, -1, -1):
        try:
            engine.ask("POST", f"{place}/pause")
        except EngineError as error:
            if error.status != INTERNAL_ERROR or left == 0:
                raise FaultError(f"{fault.id}: {fault.kind} at {fault.at}: {error.message}", advice=error.advice) from error
            time.sleep(_PAUSE_AGAIN_S)
        else:
            return


def _do(fault: Fault, engine: Engine, method: str, path: str, **more: Any) -> Any:
    try:
        return engine.ask(method, path, **more)
    except EngineError as error:
        raise FaultError(f"{fault.id}: {fault.kind} at {fault.at}: {error.message}", advice=error.advice) from error
