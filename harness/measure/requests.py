"""The samples as columns that can be counted: what each request was, when, and whether it was bad."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from harness.measure.columns import Categories, Floats, Mask, SampleColumns, categories, numbers
from harness.model.outcome import BAD_RESULTS, FALLBACK_EXEMPT_SOURCES, FALLBACK_SOURCES, Result, Source
from harness.model.plan import Plan

__all__ = ["Categories", "Floats", "Mask", "Requests", "categories", "numbers", "requests_of"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Requests:
    """Every intended request of a run, a value each in every array, in order of intended time.

    What every judgement needs is held, durations from when they were first asked for; the rest is read from `columns` by
    who asks for it. Nobody writes into an array.

    Moments and durations are nanoseconds from the run's zero as float64, exact to 104 days: NaN is "did not happen",
    and every comparison with it is false, so that what did not happen is never good.
    mix: the ordinary load; requests of a check's burst are apart and in no phase's figures.
    expected: of a refusal, 1 or 0, and -1 where nobody says.
    ttft_ns: intended start to the first chunk with content; +infinity for what was not answered.
    bad: error, timeout, malformed, shed, unsent, or a refusal that was not expected. due: what should have been
    answered: neither cancelled by the harness nor refused as expected.
    fallback: answered by other means than the primary model, the provider's record going before the target's claim.
    model_answered: answered with a model or in place of one: the whole of which `fallback` is a share.
    """

    columns: SampleColumns
    seq: npt.NDArray[np.int64]
    intended_ns: npt.NDArray[np.int64]
    started_ns: Floats
    ttft_ns: Floats
    ended_ns: Floats
    streamed: Mask
    expected: npt.NDArray[np.int8]
    user_class: Categories
    principal: Categories
    model: Categories
    result: Categories
    source: Categories
    refusal: Categories
    error_kind: Categories
    metered_cost_usd: Floats
    mix: Mask
    answered: Mask
    cancelled: Mask
    bad: Mask
    due: Mask
    fallback: Mask
    model_answered: Mask

    @property
    def size(self) -> int:
        """How many requests there are."""
        return int(self.intended_ns.size)

    @property
    def status_code(self) -> Floats:
        """The HTTP status, NaN where none came."""
        return self.columns.floats("status_code")

    @property
    def claimed_cost_usd(self) -> Floats:
        """What the target says that it cost, NaN where it says nothing."""
        return self.columns.floats("claimed_cost_usd")

    @property
    def pool_wait_ns(self) -> Floats:
        """How long a request waited for a connection, NaN where it never did."""
        return self.columns.floats("pool_wait_ns")

    @property
    def first_content_ns(self) -> Floats:
        """When the first chunk with content came, NaN where none did: read again, as few ask for more than `ttft_ns`."""
        return self.columns.floats("first_content_ns")

    @property
    def workers(self) -> frozenset[int]:
        """The load workers that wrote any row."""
        return self.columns.distinct("worker")

    @cached_property
    def response_ns(self) -> Floats:
        """Intended start to the end of the answer; +infinity for what was not answered."""
        return _or_infinity(self.ended_ns - self.intended_ns, self.answered)

    def service_ns(self, rows: slice | Mask | npt.NDArray[np.int64]) -> Floats:
        """Return, of some requests, actual start to the end of the answer; +infinity for what was not answered."""
        ended = self.ended_ns[rows]
        took = np.subtract(ended, self.started_ns[rows], out=None if isinstance(rows, slice) else ended)  # a slice is a view
        return _or_infinity(took, self.answered[rows])

    @property
    def itl_ns(self) -> Floats:
        """The p95 of the gaps between one answer's content chunks; +infinity where not answered, NaN below two chunks."""
        return np.where(self.answered, self.columns.floats("gap_p95_ns"), np.inf)

    @property
    def tpot_ns(self) -> Floats:
        """(last content - first content) / (output tokens - 1); +infinity where not answered, NaN below two tokens."""
        tokens = self.columns.floats("completion_tokens")
        took = self.columns.floats("last_content_ns") - self.first_content_ns
        with np.errstate(divide="ignore", invalid="ignore"):
            each = np.where(tokens >= 2, took / (tokens - 1), np.nan)
        return np.where(self.answered, each, np.inf)

    @cached_property
    def lag_ns(self) -> Floats:
        """How late the generator was: actual start, less the wait for a connection, after the intended one."""
        lag = self.pool_wait_ns  # just read, and nobody else's
        np.nan_to_num(lag, copy=False)
        np.subtract(self.started_ns, lag, out=lag)
        lag -= self.intended_ns
        return lag

    def of_the_mix(self, values: Floats) -> Floats:
        """Return the values of the ordinary load: all of them, uncopied, where there is no other."""
        return values if self.mix.all() else values[self.mix]


def requests_of(columns: SampleColumns, plan: Plan) -> Requests:
    """Return the requests of a run. Raises RunDirectoryError."""
    read = columns.sweep(
        floats=("started_ns", "first_content_ns", "ended_ns", "metered_cost_usd"),
        integers=("seq", "intended_ns"),
        truths=("streamed",),
        claims=("metered_fallback", "expected"),
        texts=("user_class", "principal", "model", "result", "source", "refusal", "error_kind"),
    )
    text = read.texts
    ttft = read.floats["first_content_ns"]  # just read, and nobody else's
    ttft -= read.integers["intended_ns"]
    answered = text["result"].is_in([Result.ANSWERED])
    refused = text["result"].is_in([Result.REFUSED])
    cancelled = text["result"].is_in([Result.CANCELLED])
    expected = refused & (read.claims["expected"] == 1)
    metered = read.claims["metered_fallback"]  # -1 where no call of the provider gave the answer
    of_model = text["source"].is_in([Source.PRIMARY, Source.SECONDARY]) | (text["source"].codes < 0)
    claimed = text["source"].is_in(FALLBACK_SOURCES)
    fallback = np.where(of_model & (metered >= 0), metered == 1, claimed)
    return Requests(
        columns=columns,
        seq=read.integers["seq"],
        intended_ns=read.integers["intended_ns"],
        started_ns=read.floats["started_ns"],
        ttft_ns=_or_infinity(ttft, answered),
        ended_ns=read.floats["ended_ns"],
        streamed=read.truths["streamed"],
        expected=read.claims["expected"],
        user_class=text["user_class"],
        principal=text["principal"],
        model=text["model"],
        result=text["result"],
        source=text["source"],
        refusal=text["refusal"],
        error_kind=text["error_kind"],
        metered_cost_usd=read.floats["metered_cost_usd"],
        mix=_of_the_mix(text["user_class"], plan),
        answered=answered,
        cancelled=cancelled,
        bad=text["result"].is_in(BAD_RESULTS) | (refused & ~expected),
        due=~cancelled & ~expected,
        fallback=answered & fallback,
        model_answered=answered & ~text["source"].is_in(FALLBACK_EXEMPT_SOURCES),
    )


def _or_infinity(durations: Floats, answered: Mask) -> Floats:
    np.copyto(durations, np.inf, where=~answered | np.isnan(durations))  # nobody else holds what was just computed
    return durations


def _of_the_mix(user_class: Categories, plan: Plan) -> Mask:
    """Return which requests are ordinary load. A locustfile names its requests itself, and no burst stands beside it."""
    if plan.load.locustfile is not None:
        return np.ones(user_class.codes.size, dtype=np.bool_)
    return user_class.is_in(part.name for part in plan.load.mix)
