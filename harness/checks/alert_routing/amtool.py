"""Alertmanager's own judge of routes, `amtool`, asked whom an alert with these labels reaches."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

WITHIN_S = 30.0


class CannotAskError(Exception):
    """Nobody can be asked; the text says why."""


def refused(configuration: Path) -> str | None:
    """Return why Alertmanager would not start with this file; None where it would. Raises CannotAskError."""
    done = _ask("check-config", str(configuration))
    if done.returncode == 0:
        return None
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return next(
        (line for line in reversed(lines) if "error" in line.lower() or "FAILED" in line), "amtool check-config refuses it"
    )


def reached(configuration: Path, labels: Mapping[str, str]) -> tuple[str, ...]:
    """Return the receivers of an alert with these labels. Raises CannotAskError."""
    said = [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels.items()]
    done = _ask("config", "routes", "test", f"--config.file={configuration}", "--", *said)
    if done.returncode != 0:
        raise CannotAskError(f"amtool cannot tell whom {', '.join(said)} reaches")
    return tuple(name.strip() for name in done.stdout.strip().split(",") if name.strip())


def _ask(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("amtool")
    if program is None:
        raise CannotAskError("amtool is not on the PATH; it comes with Alertmanager")
    try:
        return subprocess.run(
            [program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=WITHIN_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotAskError(f"amtool did not end: {error}") from error
