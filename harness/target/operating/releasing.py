"""A roll-out as operators do it: another version, and the service's own program that shifts the traffic to it."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from harness.errors import StackError
from harness.model.probe import Action, ActionDone
from harness.model.target import Rollout

PROGRAM = "reference_service.operations.rollout"
_WITHIN_S = 60.0
_SAID_CHARACTERS = 200


class ExpectedRollout(Rollout, Protocol):
    """A `Rollout` that knows whether the other version was started, and not ended."""

    expected: bool


RunRollout = Callable[[Sequence[str], float], tuple[int, str] | None]
"""Runs the program with arguments; returns its exit code and what it said, None where it has not ended after so many seconds."""


def roll_out(action: Action, rollout: ExpectedRollout, *, balancer: str, run: RunRollout) -> ActionDone:
    """Start another version, have it rolled out step by step, note what came of it, and end it again.

    balancer: the directory of its files, where the program is run. What it told: its exit code, how many percent the
    other version had once it had ended, how many steps were begun, and its last words. Raises StackError.
    """
    arguments = action.arguments
    began = time.monotonic()
    try:
        rollout.start(version=arguments["version"], defect=arguments["defect"] or None)
        told_so = ["canary", "--balancer", balancer, "--stable", "blue", "--candidate", "green"]
        told_so += ["--watch", arguments["watch_s"], "--least", arguments["least"], "--patience", arguments["patience_s"]]
        done = run(told_so, _WITHIN_S)
        if done is None:
            raise StackError(f"the roll-out did not end within {_WITHIN_S:.0f} s")
        lines = [line for line in done[1].splitlines() if line and not line.startswith("{")]
        told: dict[str, str | int | float | bool | None] = {
            "exit_code": done[0],
            "percent": rollout.percent(),
            "steps": sum(" % to " in line for line in lines),
            "said": lines[-1][:_SAID_CHARACTERS] if lines else "",
            "took_ms": round((time.monotonic() - began) * 1e3),
        }
    finally:
        if rollout.expected:
            rollout.shift(0)
            rollout.end()
    return ActionDone(told=told)
