"""Who gets how much of the traffic: two ways to tell a balancer, one for each kind that there is.

`SlotBalancer` writes the share of our own balancer (`balancer.py`): no request is lost, and the next one is already dealt
by it. `AdminBalancer` (`caddy_admin.py`) tells a Caddy that is already in place.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from reference_service.operations.counts import Counts, RolloutError, counts_of
from reference_service.operations.slots import SLOTS, Shares


class Traffic(Protocol):
    """A balancer, however it is told. A side is a slot's name, or an address."""

    def weights(self) -> dict[str, int]:
        """Return who gets how much. Raises RolloutError."""

    def shift(self, weights: dict[str, int]) -> None:
        """Set who gets how much of a hundred. Raises RolloutError."""

    def counts(self, side: str) -> Counts:
        """Return what a side has counted. Raises RolloutError."""


class SlotBalancer:
    """The balancer whose files lie in `directory`."""

    def __init__(self, directory: Path) -> None:
        self._shares = Shares(directory / "green")
        try:
            self._slots: dict[str, Sequence[str]] = json.loads((directory / "slots.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RolloutError(f"{directory} is not a balancer's: slots.json cannot be read; name its --directory") from error

    def weights(self) -> dict[str, int]:
        """Return the percentage of each slot. Raises RolloutError."""
        try:
            green = self._shares.read()
        except (OSError, ValueError) as error:
            raise RolloutError(f"{self._shares.path}: {error}; `rollout switch` writes it anew") from error
        return {"blue": 100 - green, "green": green}

    def shift(self, weights: dict[str, int]) -> None:
        """Deal the next requests so. Raises RolloutError."""
        if not weights.keys() <= set(SLOTS):
            raise RolloutError(f"the balancer's slots are {' and '.join(SLOTS)}, not {', '.join(sorted(weights))}")
        whole = sum(weights.values())
        if whole <= 0:
            raise RolloutError("nobody would be left; give a slot a weight")
        try:
            self._shares.write(round(100 * weights.get("green", 0) / whole))
        except OSError as error:
            raise RolloutError(f"{self._shares.path}: {error}") from error

    def counts(self, side: str) -> Counts:
        """Return the sum over the slot's instances. Raises RolloutError."""
        if side not in self._slots:
            raise RolloutError(f"the balancer's slots are {' and '.join(SLOTS)}, not {side}")
        return Counts.sum_of(counts_of(address) for address in self._slots[side])
