"""What a process said: the line that tells it is ready, and its last words for people, without secrets."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_TAIL_BYTES = 16_384
_LINE_CHARACTERS = 400


@dataclass(frozen=True, slots=True)
class Mask:
    """Replaces every known secret in a text. Holds them, so it never shows itself."""

    secrets: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, secrets: Iterable[str]) -> "Mask":
        """Return a mask for these secrets, longest first so that one inside another leaves no rest."""
        return cls(tuple(sorted({secret for secret in secrets if secret}, key=len, reverse=True)))

    def __call__(self, text: str) -> str:
        """Return the text without secrets."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


def last_lines(log: Path, mask: Mask, *, count: int = 12) -> tuple[str, ...]:
    """Return the last lines of a log that say something, masked and cut to a readable length."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            tail = file.read()
    except OSError:
        return ()
    lines = mask(tail.decode("utf-8", errors="replace")).splitlines()
    return tuple(line[:_LINE_CHARACTERS] for line in lines if line.strip())[-count:]


def announced(log: Path, event: str, *, after: int) -> Mapping[str, object] | None:
    """Return the first whole JSON line of a log, past byte `after`, whose `event` is this one; None where there is none."""
    try:
        with log.open("rb") as file:
            file.seek(after)
            data = file.read()
    except OSError:
        return None
    for line in data.split(b"\n")[:-1]:
        if line.startswith(b"{"):
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if isinstance(said, dict) and said.get("event") == event:
                return said
    return None
