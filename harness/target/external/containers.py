"""Containers that the description names: found once, at the engine of whoever runs the harness."""

from collections.abc import Mapping
from typing import Any

from harness.errors import ConfigurationError
from harness.faults.engine import Engine, EngineError
from harness.model.target import ContainerHandle


def find_containers(named: Mapping[str, str], engine: Engine | None = None) -> dict[str, ContainerHandle]:
    """Return a handle on each container, by its name in the description; asks no engine where none is named.

    named: the container's own name, or its id. Raises ConfigurationError where there is none, EngineError.
    """
    if not named:
        return {}
    engine = Engine.find() if engine is None else engine
    return {name: _find(engine, name, container) for name, container in named.items()}


def _find(engine: Engine, name: str, container: str) -> ContainerHandle:
    where = f"processes.{name}"
    try:
        found = engine.ask("GET", f"/containers/{container}/json")
    except EngineError as error:
        if error.status != 404:
            raise
        raise ConfigurationError(f"{where}: no container is called {container!r}", advice="see: docker ps -a") from None
    if not found["State"]["Running"]:
        state = found["State"]["Status"]
        raise ConfigurationError(f"{where}: container {container!r} is {state} before anything was done to it")
    return handle_of(engine, name, found)


def handle_of(engine: Engine, name: str, found: Mapping[str, Any]) -> ContainerHandle:
    """Return a handle on what an engine tells of a container."""
    networks = {
        network: tuple(alias for alias in joined["Aliases"] or () if not found["Id"].startswith(alias))
        for network, joined in (found["NetworkSettings"]["Networks"] or {}).items()
    }
    return ContainerHandle(name=name, container_id=found["Id"], engine=engine.address, networks=networks)
