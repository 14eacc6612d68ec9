"""The embedded stack once it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.model.plan import TargetReference
from harness.model.target import Clock, DeadProcess, Dependency, Instance, Landscape, Link, ProcessHandle
from harness.target.embedded.rollout import OTHER, EmbeddedRollout
from harness.target.embedded.site import Site
from harness.target.operating.actor import ReferenceActor
from harness.target.supervise.logs import last_lines

FAULTABLE = ("service-a", "service-b", "worker", "postgres", "redis", "balancer", "provider")
"""The processes that a fault may touch; the fault proxy and the keeper are the instrument's own."""

DEPENDENCIES = ("dependencies.redis", "dependencies.postgres")

CLOCKS = ("clocks.service-a", "clocks.service-b", "clocks.postgres")

ONE_SHOTS = frozenset({"initdb", "provision"})
"""What ends by itself when it has done its work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningEmbedded:
    """A `RunningTarget` of local processes. keys: user to API key, secret."""

    site: Site = field(repr=False)
    reference: TargetReference
    base_url: str
    keys: Mapping[str, str] = field(repr=False)
    instances: tuple[Instance, ...]
    links: Mapping[str, Link]
    provider_control_url: str
    rollout: EmbeddedRollout = field(repr=False)
    actor: ReferenceActor = field(repr=False)
    dependencies: Mapping[str, Dependency] = field(default_factory=dict, repr=False)
    clocks: Mapping[str, Clock] = field(default_factory=dict, repr=False)

    @property
    def landscape(self) -> Landscape:
        """Where faults can reach it; the process handles are those of now."""
        handles = self.site.handles()
        processes = {name: handles[name] for name in FAULTABLE}
        return Landscape(
            links=self.links,
            processes=processes,
            provider_control_url=self.provider_control_url,
            start_again=self.start_again,
            process_now=lambda name: self.site.handles()[name],
            dependencies=self.dependencies,
            clocks=self.clocks,
            host=True,
            rollout=self.rollout,
        )

    def died(self) -> list[DeadProcess]:
        """Return the processes that ended and were not started again; by a fault or by themselves, both are here."""
        exits = {name: code for name, code in self.site.supervisor.exits().items() if name not in self._ended_on_purpose()}
        return [
            DeadProcess(name=name, exit_code=code, last_lines=last_lines(self.site.log(name), self.site.mask))
            for name, code in exits.items()
        ]

    def _ended_on_purpose(self) -> frozenset[str]:
        return ONE_SHOTS if self.rollout.expected else ONE_SHOTS | {OTHER}

    def start_again(self, name: str) -> ProcessHandle:
        """Start a process that has ended once more, in its old place, and wait until it is ready.

        Raises KeyError for a process that is not the stack's, StackError where it does not become ready.
        """
        self.site.start_again(name)
        return self.site.handles()[name]

    def stop(self) -> None:
        """Stop everything within 7 s and remove the temporary directory. May be called twice."""
        self.site.give_up()
        self.site.supervisor.stop()
