"""Faults by hand on a stack without a run: what `harness serve` holds open for a second terminal."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from harness.faults import FaultInjector, Guardian
from harness.model.target import RunningTarget
from harness.run.hand import Hand, Owner
from harness.run.lanes import Lanes
from harness.run.live import Halt


class Exploring:
    """A running target that takes orders. halt: set by `harness halt`."""

    def __init__(self, injector: FaultInjector, halt: Halt) -> None:
        self._injector = injector
        self._halt = halt

    @property
    def halted(self) -> bool:
        """Return whether somebody told it to end."""
        return self._halt.reason is not None

    def ended_on_purpose(self) -> frozenset[str]:
        """Return the processes that a fault by hand may have ended."""
        return self._injector.ended_on_purpose()


@contextlib.contextmanager
def exploring(target: RunningTarget, name: str, state_directory: Path) -> Iterator[Exploring]:
    """Take orders until the block ends, and clear every fault then. Raises HarnessError where nobody could listen."""
    guardian = Guardian.start(state_directory)
    lanes, halt = Lanes(), Halt()
    injector = FaultInjector(target.landscape, lambda *_, **__: None, guardian=guardian)
    hand = Hand(
        Owner(name=name, what="a stack for exploring"), injector, lanes=lanes, halt=halt.order, record=lambda *_, **__: None
    )
    try:
        hand.listen(guardian.socket_path).begin()
        yield Exploring(injector, halt)
    finally:
        hand.close()
        lanes.close(within_s=1.0)
        injector.clear_all(within_s=3.5)
        guardian.stop()
