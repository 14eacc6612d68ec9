"""The samples as columns that can be counted: what each request was, when, and whether it was bad."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.model.outcome import BAD_RESULTS, FALLBACK_EXEMPT_SOURCES, FALLBACK_SOURCES, Result, Source
from harness.model.plan import Plan

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

COLUMNS = (
    "seq", "user_class", "streamed", "intended_ns", "started_ns", "pool_wait_ns", "first_content_ns", "ended_ns",
    "status_code", "result", "source", "refusal", "expected", "error_kind", "metered_cost_usd", "claimed_cost_usd",
    "metered_fallback", "worker",
)  # fmt: skip
"""What judging reads: 10 M rows of all columns would not fit beside their own sums."""


@dataclass(frozen=True, slots=True, eq=False)
class Categories:
    """A text column: a code for each request (-1: null) into `names`."""

    codes: npt.NDArray[np.int32]
    names: tuple[str, ...]

    def is_in(self, names: Iterable[str]) -> Mask:
        """Return which requests carry one of the names."""
        wanted = set(names)
        table = np.array([name in wanted for name in self.names] + [False])  # code -1 reads the last
        return np.asarray(table[self.codes], dtype=np.bool_)

    def counts(self, among: Mask) -> dict[str, int]:
        """Return how many of `among` carry each name, without zeros; nulls are not counted."""
        found = np.bincount(self.codes[among] + 1, minlength=len(self.names) + 1)[1:]
        return {name: int(count) for name, count in sorted(zip(self.names, found, strict=True)) if count}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Requests:
    """Every intended request of a run, a value each in every array, in order of intended time.

    Moments and durations are nanoseconds from the run's zero as float64, exact to 104 days: NaN is "did not happen",
    and every comparison with it is false, so that what did not happen is never good.
    mix: the ordinary load; requests of a check's burst are apart and in no phase's figures.
    bad: error, timeout, malformed, shed, unsent, or a refusal that was not expected. due: what should have been
    answered: neither cancelled by the harness nor refused as expected.
    fallback: answered by other means than the primary model, the provider's record going before the target's claim.
    model_answered: answered with a model or in place of one: the whole of which `fallback` is a share.
    """

    seq: npt.NDArray[np.int64]
    intended_ns: npt.NDArray[np.int64]
    started_ns: Floats
    pool_wait_ns: Floats
    first_content_ns: Floats
    ended_ns: Floats
    streamed: Mask
    worker: npt.NDArray[np.int64]
    user_class: Categories
    result: Categories
    source: Categories
    refusal: Categories
    error_kind: Categories
    status_code: Floats
    metered_cost_usd: Floats
    claimed_cost_usd: Floats
    mix: Mask
    answered: Mask
    cancelled: Mask
    bad: Mask
    due: Mask
    fallback: Mask
    model_answered: Mask

    @property
    def response_ns(self) -> Floats:
        """Intended start to the end of the answer; +infinity for what was not answered."""
        return self._or_infinity(self.ended_ns - self.intended_ns)

    @property
    def service_ns(self) -> Floats:
        """Actual start to the end of the answer; +infinity for what was not answered."""
        return self._or_infinity(self.ended_ns - self.started_ns)

    @property
    def ttft_ns(self) -> Floats:
        """Intended start to the first chunk with content; +infinity for what was not answered."""
        return self._or_infinity(self.first_content_ns - self.intended_ns)

    @property
    def lag_ns(self) -> Floats:
        """How late the generator was: actual start, less the wait for a connection, after the intended one."""
        return self.started_ns - np.nan_to_num(self.pool_wait_ns) - self.intended_ns

    def _or_infinity(self, durations: Floats) -> Floats:
        return np.where(self.answered & ~np.isnan(durations), durations, np.inf)


def in_intended_order(table: pa.Table) -> pa.Table:
    """Return the rows in order of intended time, as they stand where they are so already."""
    intended = numbers(table, "intended_ns")
    return table.take(pa.array(np.argsort(intended, kind="stable"))) if np.any(np.diff(intended) < 0) else table


def requests_of(table: pa.Table, plan: Plan) -> Requests:
    """Return the requests of a table of `SAMPLES_SCHEMA`, whose rows are in order of intended time."""
    table = table.select(list(COLUMNS))
    text = {name: categories(table, name) for name in ("user_class", "result", "source", "refusal", "error_kind")}
    answered = text["result"].is_in([Result.ANSWERED])
    refused = text["result"].is_in([Result.REFUSED])
    cancelled = text["result"].is_in([Result.CANCELLED])
    expected = refused & (numbers(table, "expected") == 1.0)
    metered_fallback = numbers(table, "metered_fallback")  # NaN where no call of the provider gave the answer
    of_model = text["source"].is_in([Source.PRIMARY, Source.SECONDARY]) | (text["source"].codes < 0)
    claimed = text["source"].is_in(FALLBACK_SOURCES)
    fallback = np.where(of_model & ~np.isnan(metered_fallback), metered_fallback == 1.0, claimed)
    return Requests(
        seq=numbers(table, "seq").astype(np.int64),
        intended_ns=numbers(table, "intended_ns").astype(np.int64),
        started_ns=numbers(table, "started_ns"),
        pool_wait_ns=numbers(table, "pool_wait_ns"),
        first_content_ns=numbers(table, "first_content_ns"),
        ended_ns=numbers(table, "ended_ns"),
        streamed=numbers(table, "streamed") == 1.0,
        worker=numbers(table, "worker").astype(np.int64),
        user_class=text["user_class"],
        result=text["result"],
        source=text["source"],
        refusal=text["refusal"],
        error_kind=text["error_kind"],
        status_code=numbers(table, "status_code"),
        metered_cost_usd=numbers(table, "metered_cost_usd"),
        claimed_cost_usd=numbers(table, "claimed_cost_usd"),
        mix=text["user_class"].is_in(user_class.name for user_class in plan.load.mix),
        answered=answered,
        cancelled=cancelled,
        bad=text["result"].is_in(BAD_RESULTS) | (refused & ~expected),
        due=~cancelled & ~expected,
        fallback=answered & fallback,
        model_answered=answered & ~text["source"].is_in(FALLBACK_EXEMPT_SOURCES),
    )


def numbers(table: pa.Table, name: str) -> Floats:
    """Return a column of numbers or truths as float64, null as NaN."""
    column = table[name].combine_chunks()
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)


def categories(table: pa.Table, name: str) -> Categories:
    """Return a text column as codes and names."""
    column = table[name].combine_chunks()
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    codes = column.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return Categories(np.asarray(codes, dtype=np.int32), tuple(column.dictionary.to_pylist()))
