"""A described target once it runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.model.plan import TargetReference
from harness.model.target import (
    Approach,
    Clock,
    CommandFault,
    ContainerHandle,
    DeadProcess,
    Instance,
    Landscape,
    Link,
    ProcessHandle,
)
from harness.target.external.acting import ForeignActor
from harness.target.external.caller import Caller
from harness.target.external.foreign import SERVICE, Foreign
from harness.target.external.processes import NamedProcess, has_ended
from harness.target.external.site import ForeignSite
from harness.target.external.starting import Housed
from harness.target.supervise.logs import last_lines

_ONE_SHOTS = frozenset({"provision", "services", "compose"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningExternal:
    """A `RunningTarget` of the user's. keys: principal to API key, secret. handles: of `processes`, by their names there."""

    site: ForeignSite = field(repr=False)
    reference: TargetReference
    base_url: str
    caller: Caller
    approach: Approach
    keys: Mapping[str, str] = field(repr=False)
    instances: tuple[Instance, ...]
    links: Mapping[str, Link]
    provider_control_url: str | None
    named: Mapping[str, NamedProcess]
    handles: dict[str, ProcessHandle]
    foreign: Foreign | None
    actor: ForeignActor = field(repr=False)
    commands: Mapping[str, CommandFault] = field(default_factory=dict)
    clocks: Mapping[str, Clock] = field(default_factory=dict)
    disks: Mapping[str, Path] = field(default_factory=dict)
    containers: Mapping[str, ContainerHandle] = field(default_factory=dict)
    housed: Housed | None = None
    await_ready: Callable[[str], None] | None = None

    @property
    def landscape(self) -> Landscape:
        """Where faults can reach it; the process handles are those of now."""
        return Landscape(
            links=self.links,
            processes=dict(self.handles),
            provider_control_url=self.provider_control_url,
            start_again=self.start_again if self.handles else None,
            commands=self.commands,
            clocks=self.clocks,
            disks=self.disks,
            containers=self.containers,
            await_ready=self.await_ready,
        )

    def died(self) -> list[DeadProcess]:
        """Return the processes that ended and were not started again."""
        exits = {name: code for name, code in self.site.supervisor.exits().items() if name not in _ONE_SHOTS}
        dead = [
            DeadProcess(name=name, exit_code=code, last_lines=last_lines(self.site.log(name), self.site.mask))
            for name, code in exits.items()
        ]
        if self.housed is not None:
            dead += self.housed.died()
        return dead + [
            DeadProcess(name=name, exit_code=None, last_lines=())
            for name, handle in self.handles.items()
            if name in self.named and has_ended(handle)
        ]

    def start_again(self, name: str) -> ProcessHandle:
        """Start a process that has ended once more and wait until it is ready. Raises KeyError for a stranger, StackError."""
        if name == SERVICE and self.foreign is not None:
            handle = self.foreign.start()
        else:
            handle = self.named[name].start_again(self.handles[name])
        self.handles[name] = handle
        return handle

    def stop(self) -> None:
        """Stop what the harness started, within 7 s, and remove its directory; what ran already is left running."""
        self.site.give_up()
        try:
            if self.housed is not None:
                self.housed.stop()
            self.site.supervisor.stop()
        finally:
            self.site.write_words()
