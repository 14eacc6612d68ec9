"""The provider's books: how many calls, what they cost, who asked the second model and how long each took."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.errors import RunDirectoryError
from harness.measure.columns import Floats, batches, numbers
from harness.rundir import RunDirectory

_NAME = "truth/calls.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBooks:
    """What the provider recorded, summed; the records themselves are read again by who asks for more."""

    run: RunDirectory
    count: int
    cost_usd: float

    def to_endpoint(self, endpoint: str, from_ns: float, until_ns: float) -> int:
        """Return how many calls an endpoint received within [from_ns, until_ns] of the run's clock."""
        found = 0
        for batch in batches(self.run, _NAME, ["endpoint", "received_ns"]):
            received = numbers(pa.Table.from_batches([batch]), "received_ns")
            is_there = pc.equal(batch.column(0), endpoint).to_numpy(zero_copy_only=False)
            found += int(np.count_nonzero(is_there & (received >= from_ns) & (received <= until_ns)))
        return found

    def capped(self) -> int:
        """Return how many calls to a real provider the harness's own spend cap has refused."""
        return sum(_count_of(batch.column(0), "capped") for batch in batches(self.run, _NAME, ["ended"]))

    def tokens(self) -> tuple[int, int]:
        """Return the prompt and completion tokens of all calls."""
        columns = ("prompt_tokens", "completion_tokens")
        prompt, completion = (int(pc.sum(self.run.calls([name])[name]).as_py() or 0) for name in columns)
        return prompt, completion

    def spent_ns(self, call_ids: Sequence[Sequence[str] | None]) -> Floats:
        """Return for each list of calls the time spent inside the provider; NaN where none of them ended."""
        wanted = pa.array(sorted({call for calls in call_ids for call in calls or ()}), pa.string())
        took: dict[str, int] = {}
        if len(wanted):
            for batch in batches(self.run, _NAME, ["call_id", "received_ns", "ended_ns"]):
                kept = batch.filter(pc.is_in(batch.column(0), value_set=wanted))
                spent = pc.subtract(kept.column(2), kept.column(1))
                pairs = zip(kept.column(0).to_pylist(), spent.to_pylist(), strict=True)
                took.update((call, ns) for call, ns in pairs if ns is not None)
        sums = ([took[call] for call in calls or () if call in took] for calls in call_ids)
        return np.array([float(sum(part)) if part else np.nan for part in sums], dtype=np.float64)


def _count_of(texts: pa.Array, name: str) -> int:
    """Return how often a name stands in a text column, by its dictionary where there is one: few words, and many rows."""
    if not pa.types.is_dictionary(texts.type):
        return int(pc.sum(pc.equal(texts, name)).as_py() or 0)
    place = pc.index(texts.dictionary, name).as_py()
    return 0 if place < 0 else int(pc.sum(pc.equal(texts.indices, place)).as_py() or 0)


def call_books(run: RunDirectory) -> CallBooks | None:
    """Return the provider's books; None where there are none. Raises RunDirectoryError where they are damaged."""
    path = run.path / _NAME
    if not path.exists():
        return None
    try:
        rows = pq.read_metadata(path).num_rows
    except (pa.ArrowException, OSError) as error:
        raise RunDirectoryError(f"{path}: damaged: {error}") from error
    return CallBooks(run=run, count=rows, cost_usd=float(numbers(run.calls(["cost_usd"]), "cost_usd").sum()))
