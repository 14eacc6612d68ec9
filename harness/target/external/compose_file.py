"""The user's own compose file: a project of the run's own, with our labels on every part, ended with its volumes."""

import contextlib
import json
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from harness.errors import ConfigurationError, StackError, did_you_mean
from harness.faults.engine import Engine, EngineError, engine_stays
from harness.model.target import ContainerHandle, DeadProcess
from harness.target.containers import label
from harness.target.external.containers import handle_of
from harness.target.external.site import ForeignSite

PROJECT = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
_UP_WITHIN_S = 600.0
_DOWN_WITHIN_S = 6.0
_ASK_WITHIN_S = 30.0
_OLDEST = (1, 29)


def compose_command() -> tuple[str, ...]:
    """Return how compose is run here: as Docker's plugin, or as the program before it. Raises StackError."""
    if shutil.which("docker") is not None:
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            asked = subprocess.run(["docker", "compose", "version"], capture_output=True, timeout=_ASK_WITHIN_S, check=False)
            if asked.returncode == 0:
                return ("docker", "compose")
    if shutil.which("docker-compose") is not None:
        see_not_too_old(_version_of("docker-compose"))
        return ("docker-compose",)
    raise StackError("start.compose: there is neither `docker compose` nor `docker-compose` here", advice="install one of them")


def see_not_too_old(version: str) -> None:
    """See that a `docker-compose` reads files without `version:`, with conditions of health. Raises StackError."""
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if len(numbers) == 2 and numbers < _OLDEST:
        raise StackError(
            f"docker-compose {version} is too old: it does not read compose files as they are written today",
            advice="install Docker's plugin (`docker compose`), or docker-compose 1.29 or newer",
        )


def _version_of(program: str) -> str:
    """Return what a program says of its version; nothing where it does not say, and its own words come later."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        asked = subprocess.run(
            [program, "version", "--short"], capture_output=True, text=True, timeout=_ASK_WITHIN_S, check=False
        )
        return asked.stdout.strip().removeprefix("v")
    return ""


@dataclass(slots=True, kw_only=True)
class Composed:
    """One project. environment: what the file's own `${...}` are filled from; secrets, never on a command line.

    named: the services that the description names, by their names there.
    ready: True once the target says so, else None. logs: where each service's words go, masked, as `SERVICE.log`.
    """

    engine: Engine
    site: ForeignSite = field(repr=False)
    file: Path
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    ready: Callable[[], bool | None]
    within_s: float
    logs: Path
    named: Mapping[str, str] = field(default_factory=dict)
    _ended: bool = False

    @property
    def project(self) -> str:
        """The project's name: of this run alone."""
        return f"harness-{self.site.supervisor.stack_id}"

    def start(self) -> dict[str, ContainerHandle]:
        """Bring it up and wait until the target is ready; return the containers that are named, by their names there.

        Raises StackError, ConfigurationError for a service that there is none of.
        """
        try:
            said = self._compose("services", "config", within_s=_ASK_WITHIN_S, labelled=False)
            self._label_file().write_text(json.dumps(self._with_labels(said)), encoding="utf-8")
            self._compose("compose", "up", "--detach", within_s=_UP_WITHIN_S)
            self.await_ready()
            return self._handles()
        except BaseException:
            self.stop()
            raise

    def await_ready(self) -> None:
        """Wait until the target says that it is ready. Raises StackError."""
        self.site.wait("compose", self.ready, within_s=self.within_s, may_end=True)

    def died(self) -> list[DeadProcess]:
        """Return the services whose containers ended in an error. One that has done its work and ended with 0 is none.

        Raises StackError where the engine went away.
        """
        with engine_stays():
            return self._dead()

    def _dead(self) -> list[DeadProcess]:
        dead = []
        for found in self._listed():
            if found["State"] in ("exited", "dead"):
                state = self.engine.ask("GET", f"/containers/{found['Id']}/json")["State"]
                if state["ExitCode"] != 0:
                    name = str(found["Labels"][SERVICE_LABEL])
                    dead.append(DeadProcess(name=name, exit_code=state["ExitCode"], last_lines=()))
        return dead

    def stop(self) -> None:
        """Keep what the services said, and take the project down with its volumes. Never raises; may be called twice."""
        if self._ended:
            return
        self._ended = True
        with contextlib.suppress(StackError, OSError):
            for found in self._listed():
                self.site.keep_words(self.engine.logs(found["Id"]), self.logs / f"instance-{found['Labels'][SERVICE_LABEL]}.log")
        command = [*self._base(labelled=True), "down", "--volumes", "--remove-orphans", "--timeout", "2"]
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(
                command,
                cwd=self.file.parent,
                env=self._own_environment(),
                capture_output=True,
                timeout=_DOWN_WITHIN_S,
                check=False,
            )
        with contextlib.suppress(EngineError):
            for found in self._listed():  # what did not go by itself
                self.engine.ask_raw("DELETE", f"/containers/{found['Id']}", query={"force": "1", "v": "1"})

    def _compose(self, name: str, *words: str, within_s: float, labelled: bool = True) -> bytes:
        command = [*self._base(labelled=labelled), *words]
        return self.site.run_foreign(name, command, self.environment, self.file.parent, stdin="", within_s=within_s)

    def _base(self, *, labelled: bool) -> list[str]:
        files = ["--file", str(self.file)] + (["--file", str(self._label_file())] if labelled else [])
        return [*self.command, *files, "--project-directory", str(self.file.parent), "--project-name", self.project]

    def _own_environment(self) -> dict[str, str]:
        return self.site.inherited() | dict(self.environment)

    def _label_file(self) -> Path:
        return self.site.scratch / "labels.json"

    def _with_labels(self, said: bytes) -> dict[str, object]:
        """Return a second compose file that puts our labels on every part, by which `harness clean` finds them."""
        services, networks = parts_of(said)
        see_named(self.named, services)

        def labelled(names: Sequence[str]) -> dict[str, object]:
            stack, run = self.site.supervisor.stack_id, self.logs.parent.name
            return {name: {"labels": label.labels(stack, run, name)} for name in names}

        return {"services": labelled(services), "networks": labelled(networks)}

    def _listed(self) -> list[dict[str, Any]]:
        query = {"filters": json.dumps({"label": [f"{PROJECT}={self.project}"]}), "all": "1"}
        found: list[dict[str, Any]] = self.engine.ask("GET", "/containers/json", query=query)
        return found

    def _handles(self) -> dict[str, ContainerHandle]:
        by_service = {str(found["Labels"][SERVICE_LABEL]): str(found["Id"]) for found in self._listed()}
        return {
            name: handle_of(self.engine, name, self.engine.ask("GET", f"/containers/{by_service[service]}/json"))
            for name, service in self.named.items()
        }


def parts_of(said: bytes) -> tuple[list[str], list[str]]:
    """Return the services and the networks of its own of a compose file, as `config` prints it. Raises StackError."""
    try:
        document = yaml.safe_load(said)
        services = sorted(str(name) for name in document["services"])
        networks = {str(name): part for name, part in (document.get("networks") or {}).items()}
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise StackError(f"start.compose: `config` printed no compose file ({type(error).__name__})") from error
    own = {name for name, part in networks.items() if not (isinstance(part, dict) and part.get("external"))}
    return services, sorted(own | {"default"})


def see_named(named: Mapping[str, str], services: Sequence[str]) -> None:
    """See that a compose file has every service that a description names. Raises ConfigurationError."""
    for name, service in named.items():
        if service not in services:
            known, hint = ", ".join(services), did_you_mean(service, services)
            raise ConfigurationError(f"processes.{name}: the compose file has no service {service!r}; it has {known}{hint}")
