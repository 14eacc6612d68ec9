"""What all endpoints and the control port share: the books of one run, and the clockwork."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from harness.provider.faults.board import Board
from harness.provider.generation import FirstTokens
from harness.provider.meter import Meter
from harness.provider.pacing import Pacer
from harness.provider.records import CallLog


@dataclass(slots=True, kw_only=True)
class State:
    """The provider's memory. Calls under way at a reset end in the books that they began in."""

    seed: int
    pacer: Pacer
    board: Board
    first_tokens: FirstTokens
    log: CallLog = field(default_factory=CallLog)
    meter: Meter = field(default_factory=Meter)
    active: dict[str, int] = field(default_factory=dict)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def reset(self) -> None:
        """Begin new books and lift all faults."""
        self.log = CallLog()
        self.meter = Meter()
        self.board.reset()
        self.first_tokens = FirstTokens(self.seed)
