"""The provider's own records: every ended call, in the order of their ends."""

from collections import deque
from collections.abc import Sequence
from itertools import islice, pairwise

import msgspec

from harness.model.sample import Call

PAGE_CALLS = 50_000
KEPT_CALLS = 1_000_000
"""About 0.5 GB; older ones fall out, and asking for them is an error, never a silent gap."""


class DroppedError(Exception):
    """The calls asked for are no longer kept. first: the smallest `after` that can still be asked for."""

    def __init__(self, first: int) -> None:
        super().__init__(f"calls before number {first} are no longer kept; read them with /calls?after=N while the run goes on")
        self.first = first


class CallLog:
    """Keeps calls as the JSON that leaves: bytes are small and cost the garbage collector nothing."""

    def __init__(self, *, kept: int = KEPT_CALLS, page: int = PAGE_CALLS) -> None:
        self._calls: deque[bytes] = deque(maxlen=kept)
        self._page = page
        self._total = 0

    def __len__(self) -> int:
        """Return how many calls ended since the reset, also those no longer kept."""
        return self._total

    def append(self, call: Call) -> None:
        """Add a call that has ended."""
        self._calls.append(msgspec.json.encode(call))
        self._total += 1

    def after(self, number: int) -> tuple[bytes, int]:
        """Return a JSON array of the calls after the first `number`, at most one page, and where the next page starts.

        Raises DroppedError.
        """
        first = self._total - len(self._calls)
        if number < first:
            raise DroppedError(first)
        page = list(islice(self._calls, number - first, number - first + self._page))
        return b"[" + b",".join(page) + b"]", max(number, 0) + len(page)


def gap_p95_and_max_ns(moments_ns: Sequence[int]) -> tuple[int | None, int | None]:
    """Return the nearest-rank 95th percentile and the largest of the gaps between moments; None below two moments."""
    gaps = sorted(later - earlier for earlier, later in pairwise(moments_ns))
    if not gaps:
        return None, None
    return gaps[-(-len(gaps) * 95 // 100) - 1], gaps[-1]
