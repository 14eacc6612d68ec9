"""Real money: what the calls of a run have cost, what those under way may still cost, and whether there is any left."""

from harness.model.simulated import SimulatedModel

UNBOUNDED_TOKENS = 1_000
"""What a call without `max_tokens` is taken to say at most while it is under way."""


class Purse:
    """Holds a call's worst case while it is under way, then what it came to. Never emptied by a reset of the records.

    A call that says more than it was held for, or none of whose usage is told, can go beyond the cap by itself alone.
    """

    def __init__(self, cap_usd: float) -> None:
        self.cap_usd = cap_usd
        self.spent_usd = 0.0
        self._held: dict[str, float] = {}

    def hold(self, call_id: str, model: SimulatedModel, prompt_tokens: int, max_tokens: int | None) -> bool:
        """Set a call's worst case aside; return False, with nothing set aside, where that is beyond the cap."""
        worst_usd = model.cost_usd(prompt_tokens, UNBOUNDED_TOKENS if max_tokens is None else max_tokens)
        if self.spent_usd + sum(self._held.values()) + worst_usd > self.cap_usd:
            return False
        self._held[call_id] = worst_usd
        return True

    def settle(self, call_id: str, cost_usd: float) -> None:
        """Book what a call came to in place of what was held for it."""
        self._held.pop(call_id, None)
        self.spent_usd += cost_usd
