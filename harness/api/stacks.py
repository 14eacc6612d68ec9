"""A running target in a program's hands."""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from harness.api.breaking import ActiveFault, Breaker, breaking
from harness.api.providers import ask_provider
from harness.errors import ConfigurationError
from harness.extensions.by_hand import adopt_files
from harness.model.fault import Scalar
from harness.model.target import Instance, Needs, RunningTarget, Target
from harness.run.targets import find_target


class Stack:
    """A target that is up. keys: principal to API key, a secret."""

    def __init__(self, running: RunningTarget, breaker: Breaker) -> None:
        self._running = running
        self._breaker = breaker

    @property
    def base_url(self) -> str:
        """Where requests go, without a trailing slash."""
        return self._running.base_url

    @property
    def keys(self) -> Mapping[str, str]:
        """Return the keys by principal."""
        return self._running.keys

    @property
    def instances(self) -> tuple[Instance, ...]:
        """The instances behind the balancer, reached past it."""
        return self._running.instances

    @property
    def places(self) -> tuple[str, ...]:
        """Every place that a fault may name."""
        return self._breaker.places

    def fault(self, at: str, kind: str, **parameters: Scalar) -> AbstractContextManager[ActiveFault]:
        """Keep a fault in force for a block: `with stack.fault("redis", "latency", latency=800):`.

        Raises ConfigurationError for one that cannot be, FaultError where it could not be applied, confirmed or cleared.
        """
        return self._breaker.fault(at, kind, **parameters)

    def calls(self) -> list[dict[str, Any]]:
        """Return what the simulated provider really served, a record a call (docs/reference/provider.md).

        Raises ConfigurationError where the target's provider is not ours, StackError where it does not answer.
        """
        control = self._running.landscape.provider_control_url
        if control is None:
            raise ConfigurationError("this target's provider is not the simulated one; nothing records its calls")
        return list(ask_provider(control, "GET", "/calls"))


@contextlib.contextmanager
def stack(
    target: str | Path | Target = "embedded",
    *,
    users: int = 3,
    seed: int = 1,
    service: Sequence[str] = (),
    allow: Sequence[str] = (),
    logs: Path | None = None,
    plugins: Sequence[str | Path] = (),
) -> Iterator[Stack]:
    """Start a target for the block and stop it at its end, faults cleared first.

    users: how many get a key. service, allow: as for `plan`. logs: where each process writes `NAME.log`; a temporary
    place that is removed where None. plugins: files whose kinds of faults `fault` knows, imported here; those of installed
    packages are known anyway. Raises ConfigurationError, StackError with the failed process's last lines.
    """
    adopt_files([Path(each) for each in plugins], imports=True)
    found = find_target(str(target), seed, service=service, allow=allow) if isinstance(target, str | Path) else target
    with contextlib.ExitStack() as ends:
        if logs is None:
            logs = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="harness-stack-")))
        running = found.start(Needs(principals=users), logs)
        ends.callback(running.stop)
        yield Stack(running, ends.enter_context(breaking(running.landscape)))
