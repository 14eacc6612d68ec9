"""The compose project that is up, found by the labels of its services, and read from the engine."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.errors import StackError
from harness.faults.engine import Engine, EngineError
from harness.model.target import ContainerHandle

PART = "llm-harness.part"
PROJECT = "com.docker.compose.project"
NEEDED = ("service-a", "service-b", "worker", "postgres", "redis", "balancer", "provider", "toxiproxy", "witness")
_UP = "in a checkout of the project: docker compose up -d --build"


@dataclass(frozen=True, slots=True)
class Project:
    """One project that is up. found: what the engine tells of each container, by its part."""

    name: str
    engine: Engine
    found: Mapping[str, Mapping[str, Any]]

    @classmethod
    def find(cls, engine: Engine) -> "Project":
        """Return the one project that is up. Raises StackError where there is none, several, or parts are missing."""
        query = {"filters": json.dumps({"label": [PART], "status": ["running"]})}
        listed = engine.ask("GET", "/containers/json", query=query)
        names = sorted({str(each["Labels"].get(PROJECT, "?")) for each in listed})
        if not names:
            raise StackError("no stack of docker-compose.yaml is up", advice=_UP)
        if len(names) > 1:
            raise StackError(
                f"several stacks of docker-compose.yaml are up: {', '.join(names)}", advice="docker compose down all but one"
            )
        parts = {str(each["Labels"][PART]): str(each["Id"]) for each in listed}
        if missing := [name for name in NEEDED if name not in parts]:
            raise StackError(
                f"of the compose project {names[0]}, {', '.join(missing)} is not running",
                advice=f"{_UP}; then: docker compose ps",
            )
        found = {name: engine.ask("GET", f"/containers/{parts[name]}/json") for name in parts}
        return cls(names[0], engine, found)

    def published(self, part: str, port: int) -> str:
        """Return where this host reaches a port: `127.0.0.1:PORT`. Raises StackError where it is published elsewhere or not."""
        bindings = (self.found[part]["NetworkSettings"]["Ports"] or {}).get(f"{port}/tcp") or []
        for binding in bindings:
            if binding["HostIp"] == "127.0.0.1":
                return f"127.0.0.1:{binding['HostPort']}"
        raise StackError(
            f"{part} publishes no port {port} on 127.0.0.1", advice="docker-compose.yaml does; is this another file's stack?"
        )

    def handle(self, part: str) -> ContainerHandle:
        """Return a container as faults reach it."""
        found = self.found[part]
        networks = {
            name: tuple(alias for alias in joined["Aliases"] or () if not found["Id"].startswith(alias))
            for name, joined in (found["NetworkSettings"]["Networks"] or {}).items()
        }
        return ContainerHandle(name=part, container_id=found["Id"], engine=self.engine.address, networks=networks)

    def secret(self, name: str) -> str:
        """Return one of the project's secrets, as its database's container reads it. Raises StackError."""
        try:
            code, said = self.engine.execute(str(self.found["postgres"]["Id"]), ["cat", f"/run/secrets/{name}"])
        except EngineError as error:
            raise StackError(f"the project's {name} cannot be read: {error.message}", advice=_UP) from error
        if code != 0 or not said.strip():
            raise StackError(f"the project's {name} cannot be read (exit code {code})", advice=_UP)
        return said.strip()

    def network(self) -> str:
        """Return the network that the parts meet on."""
        return str(next(iter(self.found["postgres"]["NetworkSettings"]["Networks"])))

    def secrets_volume(self) -> str:
        """Return the volume with the project's secrets. Raises StackError."""
        for mount in self.found["postgres"]["Mounts"]:
            if mount["Destination"] == "/run/secrets" and mount["Type"] == "volume":
                return str(mount["Name"])
        raise StackError("the compose project has no volume of secrets", advice=_UP)

    def version(self) -> str:
        """Return the version that the service was told to tell."""
        variables = dict(each.split("=", 1) for each in self.found["service-a"]["Config"]["Env"])
        return str(variables.get("SERVICE_VERSION", "compose"))
