"""Brings a container back from a fault: safe to do twice, and where the fault was never applied."""

from pathlib import Path
from typing import Any

from harness.faults.container_names import NOBODY, read_resolver, write_resolver
from harness.faults.engine import Engine, EngineError
from harness.faults.guardian.undo import ContainerStep


def bring_back(step: ContainerStep) -> str | None:
    """Do one step; return why it could not be done, as what a person does instead, or None."""
    try:
        restore(Engine(step.engine), step)
    except EngineError as error:
        if error.status == 404:
            return None  # the container is gone, and what it was made to bear with it
        if error.status is None and step.do in {"unpause", "start"}:
            return f"{_by_hand(step)} (once the engine answers: {error.message})"
        return f"{_by_hand(step)} ({error.message})"
    return None


def restore(engine: Engine, step: ContainerStep) -> None:
    """Do one step, if there is anything to do. Raises EngineError."""
    place = f"/containers/{step.container_id}"
    found: dict[str, Any] = engine.ask("GET", f"{place}/json")
    match step.do:
        case "unpause" if found["State"]["Paused"]:
            engine.ask("POST", f"{place}/unpause")
        case "start" if not found["State"]["Running"]:
            engine.ask("POST", f"{place}/start")
        case "update":
            engine.ask("POST", f"{place}/update", body=dict(step.body))
        case "resolve" if found["State"]["Running"] and read_resolver(engine, step.container_id) == NOBODY:
            write_resolver(engine, step.container_id, str(step.body["Text"]))
        case "write":
            engine.put_file(step.container_id, Path(str(step.body["Path"])), str(step.body["Text"]))
        case "connect" if step.body["Network"] not in found["NetworkSettings"]["Networks"]:
            body = {"Container": step.container_id, "EndpointConfig": {"Aliases": step.body["Aliases"]}}
            engine.ask("POST", f"/networks/{step.body['Network']}/connect", body=body)


def _by_hand(step: ContainerStep) -> str:
    if step.do == "write":
        return f"write {step.body['Text']!r} to {step.body['Path']} in container {step.container_id[:12]}"
    what = {
        "update": "update --cpus/--memory of",
        "connect": f"network connect {step.body.get('Network', '')}",
        "resolve": "restart",
    }
    return f"docker {what.get(step.do, step.do)} {step.container_id[:12]}"
