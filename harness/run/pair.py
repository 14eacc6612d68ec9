"""Two runs that start at one moment: each in a process of its own, under one parent that hears the signals.

A run waits in its place until its neighbour is ready, and takes its zero from the file `go` that the parent writes.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ConfigurationError, HarnessError, InterruptedRunError, LoadError
from harness.run.interruption import Interruption
from harness.rundir.files import write_whole

READY_WITHIN_S = 180.0
LEAD_S = 0.8
"""From the order to go to the common zero: both must have heard it."""
STOP_WITHIN_S = 8.0
_POLL_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendezvous:
    """Where a run of a pair meets the other. arm: 0 or 1. block_ns: how long the blocks are that arrivals are dealt in."""

    place: Path
    arm: int
    block_ns: int

    @classmethod
    def parse(cls, text: str) -> "Rendezvous":
        """Return what `ARM:BLOCK_NS:PLACE` says. Raises ConfigurationError."""
        arm, _, rest = text.partition(":")
        block, _, place = rest.partition(":")
        if arm not in ("0", "1") or not block.isdigit() or int(block) <= 0 or not Path(place).is_dir():
            raise ConfigurationError(f"--pair {text!r} is for `harness run --against` to give")
        return cls(place=Path(place), arm=int(arm), block_ns=int(block))

    def __str__(self) -> str:
        return f"{self.arm}:{self.block_ns}:{self.place}"

    def meet(self) -> int:
        """Say that this run is ready; return the zero of both, on CLOCK_MONOTONIC. Raises LoadError where nobody comes."""
        parent = os.getppid()
        write_whole(self.place / f"ready-{self.arm}", b"ready\n")
        deadline = time.monotonic() + READY_WITHIN_S
        go = self.place / "go"
        while not go.exists():
            if time.monotonic() > deadline or os.getppid() != parent:
                raise LoadError("the other run of the pair did not become ready")
            time.sleep(_POLL_S)
        zero_ns = int(go.read_text(encoding="ascii"))
        if zero_ns <= time.monotonic_ns():
            raise LoadError("the common start of the pair had passed before this run heard of it")
        return zero_ns


def run_together(
    commands: Mapping[str, Sequence[str]], place: Path, interruption: Interruption, say: Callable[[str], None]
) -> dict[str, int]:
    """Run two commands that meet at `place`; return the exit code of each.

    commands: name to command, in the order of their arms. Raises InterruptedRunError once both have healed and ended.
    """
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, command in commands.items():
            with (place / f"{name}.log").open("ab") as log:
                # A session of its own: the terminal's Ctrl-C comes once, through us, and not a second time by itself.
                processes[name] = subprocess.Popen(
                    list(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
        _start_together(processes, place, say)
        while any(process.poll() is None for process in processes.values()):
            if any(process.poll() not in (None, 0, 1, 3, 4) for process in processes.values()):
                break  # one could not run: half a pair tells nothing
            time.sleep(_POLL_S)
    finally:
        with interruption.shielded():
            _end(processes, interruption)
    interruption.raise_if_signalled()
    return {name: process.returncode for name, process in processes.items()}


def _start_together(processes: Mapping[str, "subprocess.Popen[bytes]"], place: Path, say: Callable[[str], None]) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while not all((place / f"ready-{arm}").exists() for arm in (0, 1)):
        if any(process.poll() is not None for process in processes.values()):
            return
        if time.monotonic() > deadline:
            raise HarnessError(f"the two stacks were not ready within {READY_WITHIN_S:.0f} s; see {place}")
        time.sleep(_POLL_S)
    write_whole(place / "go", str(time.monotonic_ns() + round(LEAD_S * 1e9)).encode())
    say("both versions are up; one schedule, dealt in blocks")


def _end(processes: Mapping[str, "subprocess.Popen[bytes]"], interruption: Interruption) -> None:
    """Ask what still runs to end, and pass on what we hear meanwhile; kill nothing that heals. Never raises."""
    running = [process for process in processes.values() if process.poll() is None]
    passed_on = 0
    for process in running:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(interruption.signals[0] if interruption.signals else signal.SIGTERM)
    deadline = time.monotonic() + STOP_WITHIN_S
    while any(process.poll() is None for process in running) and time.monotonic() < deadline:
        if len(interruption.signals) > 1 and not passed_on:
            passed_on = 1
            for process in running:
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(interruption.signals[1])
        time.sleep(_POLL_S)
    for process in running:
        if process.poll() is None:  # its guardian and its keeper heal and stop what it leaves
            process.kill()
            process.wait()


__all__ = ["InterruptedRunError", "Rendezvous", "run_together"]
