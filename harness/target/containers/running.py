"""The stack of containers once it runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.faults.engine import engine_stays
from harness.model.plan import TargetReference
from harness.model.target import Clock, DeadProcess, Dependency, Instance, Landscape, Link, Witness
from harness.target.containers.rollout import ContainerRollout
from harness.target.containers.site import ContainerSite
from harness.target.containers.topology import CLOCK, INSTANCES, ROLLOUT
from harness.target.embedded.rollout import OTHER
from harness.target.operating.actor import ReferenceActor
from harness.target.operating.workshop import Workshop

FAULTABLE = ("service-a", "service-b", "worker", "postgres", "redis", "balancer", "provider")
"""The containers that a fault may touch; Toxiproxy and witness are the instrument's own."""

_ONE_SHOTS = frozenset({"provision", ROLLOUT})
_ENDED = frozenset({"exited", "dead", "removing", "created"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningContainers:
    """A `RunningTarget` of containers. keys: user to API key, secret. ready: by container, None before it answers."""

    site: ContainerSite = field(repr=False)
    reference: TargetReference
    base_url: str
    keys: Mapping[str, str] = field(repr=False)
    instances: tuple[Instance, ...]
    links: Mapping[str, Link]
    provider_control_url: str
    witness: Witness
    ready: Mapping[str, Callable[[], bool | None]] = field(repr=False)
    dependencies: Mapping[str, Dependency] = field(repr=False)
    rollout: ContainerRollout = field(repr=False)
    actor: ReferenceActor = field(repr=False)
    workshop: Workshop = field(repr=False)

    @property
    def landscape(self) -> Landscape:
        """Where faults can reach it."""
        handles = self.site.handles()
        return Landscape(
            links=self.links,
            provider_control_url=self.provider_control_url,
            containers={name: handles[name] for name in FAULTABLE},
            await_ready=self.await_ready,
            witness=self.witness,
            dependencies=self.dependencies,
            clocks=self._clocks(),
            host=True,
            rollout=self.rollout,
        )

    def _clocks(self) -> dict[str, Clock]:
        handles, urls = self.site.handles(), {instance.name: f"{instance.base_url}{instance.live}" for instance in self.instances}
        return {
            "clocks.postgres": Clock(database=self.dependencies["dependencies.postgres"]),
            **{
                f"clocks.{container}": Clock(file=Path(CLOCK), container=handles[container], seen_at=urls[name])
                for name, container in INSTANCES.items()
            },
        }

    def died(self) -> list[DeadProcess]:
        """Return the containers that ended and were not started again. Raises StackError where the engine went away."""
        with engine_stays():
            handles, states = self.site.handles(), self.site.states()
        on_purpose = _ONE_SHOTS if self.rollout.expected else _ONE_SHOTS | {OTHER}
        ended = [name for name in handles if states.get(name, "exited") in _ENDED and name not in on_purpose]
        return [
            DeadProcess(name=name, exit_code=self.site.exit_code(name), last_lines=self.site.keep_log(name)) for name in ended
        ]

    def await_ready(self, name: str) -> None:
        """Wait until a container that was started again answers. Raises StackError."""
        self.site.wait(name, self.ready[name], within_s=30)

    def stop(self) -> None:
        """Keep the logs and remove everything, within 7 s. May be called twice."""
        self.site.give_up()
        try:
            self.workshop.close()
        finally:
            self.site.stop()
