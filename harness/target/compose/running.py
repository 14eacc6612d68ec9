"""The compose stack while a run uses it; it stays up afterwards."""

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import HarnessError, StackError
from harness.faults.engine import EngineError, engine_stays
from harness.model.plan import TargetReference
from harness.model.target import DeadProcess, Instance, Landscape, Link, Witness
from harness.target.compose.actor import ComposeActor
from harness.target.compose.project import Project
from harness.target.containers.running import FAULTABLE
from harness.target.operating.workshop import Workshop
from harness.target.supervise.logs import Mask, last_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningCompose:
    """A `RunningTarget` that somebody else started. began_s: wall clock, from where logs are kept."""

    project: Project
    logs: Path
    mask: Mask
    began_s: float
    reference: TargetReference
    base_url: str
    keys: Mapping[str, str] = field(repr=False)
    instances: tuple[Instance, ...]
    links: Mapping[str, Link]
    provider_control_url: str
    witness: Witness
    ready: Mapping[str, Callable[[], bool | None]] = field(repr=False)
    actor: ComposeActor = field(repr=False)
    workshop: Workshop = field(repr=False)

    @property
    def landscape(self) -> Landscape:
        """Where faults can reach it."""
        return Landscape(
            links=self.links,
            provider_control_url=self.provider_control_url,
            containers={name: self.project.handle(name) for name in FAULTABLE},
            await_ready=self.await_ready,
            witness=self.witness,
        )

    def died(self) -> list[DeadProcess]:
        """Return the containers that are not running. Raises StackError where the engine went away."""
        dead = []
        for name in (*FAULTABLE, "toxiproxy", "witness"):
            try:
                with engine_stays():
                    state = self.project.engine.ask("GET", f"/containers/{self.project.found[name]['Id']}/json")["State"]
            except EngineError as error:
                if error.status != 404:
                    raise
                state = {"Running": False, "ExitCode": None}
            if not state["Running"]:
                dead.append(DeadProcess(name=name, exit_code=state["ExitCode"], last_lines=self._keep_log(name)))
        return dead

    def await_ready(self, name: str) -> None:
        """Wait until a container that was started again answers. Raises StackError."""
        wait_ready(name, self.ready)

    def stop(self) -> None:
        """Keep what was said during the run; the stack stays up, whole: `docker compose down` is its owner's to type.

        Raises StackError where an instance that a check had ended could not be started again.
        """
        try:
            for name in self.project.found:
                self._keep_log(name)
        finally:
            try:
                self.workshop.close()
            finally:
                self.actor.put_back()

    def _keep_log(self, name: str) -> tuple[str, ...]:
        path = self.logs / f"{name}.log"
        with contextlib.suppress(HarnessError, OSError):
            text = self.project.engine.logs(self.project.found[name]["Id"], since_s=self.began_s).decode(
                "utf-8", errors="replace"
            )
            path.write_text(self.mask(text), encoding="utf-8")
        return last_lines(path, self.mask)


def wait_ready(name: str, ready: Mapping[str, Callable[[], bool | None]]) -> None:
    """Wait until a container answers by its own sign. Raises StackError."""
    deadline = time.monotonic() + 30
    while not ready[name]():
        if time.monotonic() > deadline:
            raise StackError(f"{name} was not ready within 30 s of its start", advice=f"docker compose logs {name}")
        time.sleep(0.05)
