"""Retries that cannot become a storm: a budget of a tenth of the calls, exponential backoff, full jitter."""

import random


class RetryBudget:
    """A bucket: every first attempt puts `ratio` of a token in, a retry takes one out."""

    def __init__(self, *, ratio: float, burst: int) -> None:
        self._ratio = ratio
        self._burst = float(burst)
        self._tokens = float(burst)

    def deposit(self) -> None:
        """Count a first attempt."""
        self._tokens = min(self._burst, self._tokens + self._ratio)

    def withdraw(self) -> bool:
        """Take a retry's token; False when the bucket is empty."""
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


def backoff_s(attempt: int, base_s: float, random_source: random.Random) -> float:
    """Return the wait before retry number `attempt` (from 1): half to whole of the doubled base."""
    doubled: float = base_s * 2 ** (attempt - 1)
    return doubled * (0.5 + 0.5 * random_source.random())
