"""A roll-out as operators do it: another version, and the service's own program that shifts the traffic to it."""

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from harness.errors import StackError
from harness.model.probe import Action, ActionDone
from harness.target.embedded.rollout import EmbeddedRollout

_WITHIN_S = 60.0
_SAID_CHARACTERS = 200


def roll_out(action: Action, rollout: EmbeddedRollout, *, directory: Path, environment: Mapping[str, str]) -> ActionDone:
    """Start another version, have it rolled out step by step, note what came of it, and end it again.

    directory: where the program may work. environment: of the program. What it told: its exit code, how many percent the
    other version had once it had ended, how many steps were begun, and its last words. Raises StackError.
    """
    arguments = action.arguments
    began = time.monotonic()
    try:
        rollout.start(version=arguments["version"], defect=arguments["defect"] or None)
        command = [sys.executable, "-m", "reference_service.operations.rollout", "canary", "--balancer", str(rollout.traffic)]
        command += ["--stable", "blue", "--candidate", "green", "--watch", arguments["watch_s"], "--least", arguments["least"]]
        command += ["--patience", arguments["patience_s"]]
        done = subprocess.run(
            command,
            env=dict(environment),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_WITHIN_S,
            check=False,
        )
        lines = [line for line in done.stderr.splitlines() if line and not line.startswith("{")]
        told: dict[str, str | int | float | bool | None] = {
            "exit_code": done.returncode,
            "percent": rollout.percent(),
            "steps": sum(" % to " in line for line in lines),
            "said": lines[-1][:_SAID_CHARACTERS] if lines else "",
            "took_ms": round((time.monotonic() - began) * 1e3),
        }
    except subprocess.TimeoutExpired as error:
        raise StackError(f"the roll-out did not end within {_WITHIN_S:.0f} s") from error
    finally:
        if rollout.expected:
            rollout.shift(0)
            rollout.end()
    return ActionDone(told=told)
