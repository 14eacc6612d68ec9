"""One embedded stack for several runs, one after the other; a run that may have left it broken is its last."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from harness.model.journal import Event
from harness.run.interruption import Interruption
from harness.rundir import RunDirectory
from harness.target.embedded.lasting import STACK_LOGS
from harness.target.embedded.standing import StandingStack

_BROKEN = frozenset({Event.TROUBLE, Event.FAULT_FAILED, Event.PROCESS_DIED, Event.ABORTED, Event.INTERRUPTED})
"""What may leave something behind: a fault that was not proved clear, a process that ended by itself."""


def one_stack(name: str, seed: int, parent: Path, *, proxy: str | None) -> StandingStack | None:
    """Return a stack that runs can share; None for a target that is not the embedded one, or that runs through a Toxiproxy.

    parent: the directory of the runs' own.
    """
    if name != "embedded" or proxy == "toxiproxy":
        return None
    return StandingStack(logs=parent / STACK_LOGS, seed=seed)


def end_if_broken(stack: StandingStack | None, run: RunDirectory, interruption: Interruption) -> None:
    """End the stack where the journal of a run says that it may not be as it was; the next run starts a new one."""
    if stack is not None and any(entry.event in _BROKEN for entry in run.journal()):
        with interruption.shielded():
            stack.close()


@contextlib.contextmanager
def ended_after(stack: StandingStack | None, interruption: Interruption) -> Iterator[None]:
    """End the stack, if there is one, after the block, whatever became of it."""
    try:
        yield
    finally:
        if stack is not None:
            with interruption.shielded():
                stack.close()
