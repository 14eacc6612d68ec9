"""Starts a described target by whichever means its description has: a command, an image, a compose file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from harness.errors import StackError
from harness.faults.engine import Engine
from harness.model.target import ContainerHandle, DeadProcess, ProcessHandle
from harness.target.description import Description
from harness.target.description.placeholders import Placeholders
from harness.target.external.caller import Caller
from harness.target.external.compose_file import Composed, compose_command
from harness.target.external.foreign import SERVICE, Foreign, is_ready
from harness.target.external.image import Contained
from harness.target.external.offer import path_of
from harness.target.external.site import ForeignSite


class Housed(Protocol):
    """Containers that the harness has started, and ends."""

    def died(self) -> list[DeadProcess]:
        """Return what of them ended without being told to. Raises StackError."""

    def await_ready(self) -> None:
        """Wait until the target says that it is ready. Raises StackError."""

    def stop(self) -> None:
        """End them and keep what they said. Never raises; may be called twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What a start has led to; all empty where the target runs already."""

    handles: Mapping[str, ProcessHandle] = field(default_factory=dict)
    foreign: Foreign | None = None
    housed: Housed | None = None
    containers: Mapping[str, ContainerHandle] = field(default_factory=dict)

    @property
    def await_ready(self) -> Callable[[str], None] | None:
        """What waits until a container that was started again serves; None where no container of ours does."""
        housed = self.housed
        return None if housed is None else lambda _: housed.await_ready()


def begin(description: Description, site: ForeignSite, placeholders: Placeholders, caller: Caller) -> Begun:
    """Start the target and wait until it is ready. Raises StackError, with no container of ours left."""
    start = description.document.start
    if start is None:
        return Begun()
    environment = {name: placeholders.fill(text) for name, text in start.env.items()}
    words = [placeholders.fill(part) for part in start.command or ()]
    folder = description.folder / placeholders.fill(start.directory or ".")
    within_s = start.ready.within / 1e9
    ready = is_ready(caller, start.ready.get)
    if start.image is not None:
        contained = Contained(
            engine=Engine.find(),
            site=site,
            image=start.image,
            arguments=words,
            environment=environment,
            ready=ready,
            within_s=within_s,
            said=site.logs / f"{SERVICE}.log",
        )
        return Begun(containers={SERVICE: contained.start()}, housed=contained)
    if start.compose is not None:
        file = path_of(description, placeholders.fill(start.compose)).resolve()
        _must_be_there(file)
        composed = Composed(
            engine=Engine.find(),
            site=site,
            file=file,
            command=compose_command(),
            environment=environment,
            ready=ready,
            within_s=within_s,
            logs=site.logs,
            named=description.containers,
        )
        return Begun(containers=composed.start(), housed=composed)
    foreign = Foreign(
        site=site,
        caller=caller,
        command=words,
        environment=environment,
        folder=folder,
        ready=start.ready.get,
        within_s=within_s,
    )
    return Begun(handles={SERVICE: foreign.start()}, foreign=foreign)


def _must_be_there(file: Path) -> None:
    if not file.is_file():
        raise StackError(f"start.compose: there is no file {file}")
