"""The reduced frames that plots are drawn from: one row a second, at most 20,000 requests, a cumulative distribution.

Their columns are listed in `harness.model.measurement`.
"""

import itertools
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.measure.quantiles import values_at_s
from harness.measure.requests import Categories, Floats, Mask, Requests
from harness.model.histogram import merge, quantile_ns
from harness.model.live import LiveLine
from harness.model.outcome import Result, Source
from harness.model.plan import Phase, Plan
from harness.model.units import NS_PER_MS, NS_PER_S
from harness.stats import nearest_rank

MOST_ROWS = 20_000
_ROWS_AT_ONCE = 1 << 16


def timeline(plan: Plan, requests: Requests, live: Sequence[LiveLine]) -> pa.Table:
    """Return one row for every second of the run, of the ordinary load only, by the second of the intended start."""
    mix = requests.mix
    seconds = -(-plan.end_ns // NS_PER_S)
    # Rows are in order of intended time, so a second is a stretch of them; a damaged row outside the run is in none.
    edges = np.searchsorted(requests.intended_ns, np.arange(seconds + 1, dtype=np.int64) * NS_PER_S)

    def per_second(among: Mask) -> npt.NDArray[np.int64]:
        return np.array([np.count_nonzero(among[low:high]) for low, high in itertools.pairwise(edges)], dtype=np.int64)

    none = np.zeros(seconds, dtype=np.int64)
    results = _by_name(edges, requests.result, mix)
    sources = _by_name(edges, requests.source, mix & requests.answered)
    cost = requests.metered_cost_usd
    spend = [float(np.nansum(cost[low:high][mix[low:high]])) for low, high in itertools.pairwise(edges)]
    columns: dict[str, pa.Array] = {
        "t_s": pa.array(np.arange(seconds, dtype=np.float64)),
        "phase": pa.array([_phase_at(plan.phases, t * NS_PER_S) for t in range(seconds)], pa.string()),
        "intended": _counts(per_second(mix)),
        "sent": _counts(per_second(mix & ~np.isnan(requests.started_ns))),
    }
    for result in Result:
        columns[result.value] = _counts(results.get(result.value, none))
    for source in Source:
        columns[source.value] = _counts(sources.get(source.value, none))
    responses = _by_second(edges, requests.response_ns, mix & requests.answered, (500, 950, 990))
    for permille, values in zip((50, 95, 99), responses, strict=True):
        columns[f"response_p{permille}_s"] = pa.array(values / NS_PER_S, from_pandas=True)
    (lag,) = _by_second(edges, requests.lag_ns, mix, (990,))
    columns["spend_usd"] = pa.array(np.cumsum(spend), pa.float64())
    columns["lag_p99_ms"] = pa.array(lag / NS_PER_MS, from_pandas=True)
    columns["loop_lag_p99_ms"], columns["cpu_ratio"] = _of_live(live, seconds)
    return pa.table(columns)


def request_rows(requests: Requests) -> npt.NDArray[np.int64]:
    """Return which rows `requests.parquet` keeps: every bad one, the rest by stride, 20,000 at most; of the mix only."""
    bad = np.flatnonzero(requests.mix & requests.bad)
    bad = bad[:: max(1, -(-bad.size // MOST_ROWS))]
    rest = np.flatnonzero(requests.mix & ~requests.bad)
    room = MOST_ROWS - bad.size
    rest = rest[:: max(1, -(-rest.size // room))] if room else rest[:0]
    return np.sort(np.concatenate((bad, rest)))


def distribution(requests: Requests, judged: Mask) -> pa.Table:
    """Return response and service time at each permille, over the answered requests of the judged phases."""
    among = judged & requests.answered
    service_ns = np.empty(np.count_nonzero(among))
    low = 0
    for start in range(0, requests.size, _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        part = requests.service_ns(rows)[among[rows]]
        service_ns[low : low + part.size] = part
        low += part.size
    permille = range(1, 1001)
    return pa.table(
        {
            "permille": pa.array(permille, pa.int64()),
            "response_s": pa.array(values_at_s(requests.response_ns[among], permille), pa.float64()),
            "service_s": pa.array(values_at_s(service_ns, permille), pa.float64()),
        }
    )


def _counts(values: npt.NDArray[np.int64]) -> pa.Array:
    return pa.array(values, pa.int64())


def _by_name(edges: npt.NDArray[np.int64], texts: Categories, among: Mask) -> dict[str, npt.NDArray[np.int64]]:
    """Return for each name of a text column how many of `among` carry it in each second."""
    width = len(texts.names) + 1  # the first is for nulls
    rows = [
        np.bincount(texts.codes[low:high][among[low:high]].astype(np.intp) + 1, minlength=width)
        for low, high in itertools.pairwise(edges)
    ]
    table = np.array(rows, dtype=np.int64).reshape(-1, width)
    return {name: table[:, place] for place, name in enumerate(texts.names, start=1)}


def _phase_at(phases: Sequence[Phase], at_ns: int) -> str | None:
    return next((phase.name for phase in phases if phase.start_ns <= at_ns < phase.end_ns), None)


def _by_second(
    edges: npt.NDArray[np.int64], durations_ns: Floats, among: Mask, permille: Sequence[int]
) -> list[npt.NDArray[np.float64]]:
    """Return the nearest-rank quantiles of each second, NaN where nothing in it lasted a finite time."""
    found = [np.full(edges.size - 1, np.nan) for _ in permille]
    for second, (low, high) in enumerate(itertools.pairwise(edges)):
        values = durations_ns[low:high][among[low:high]]
        values = np.sort(values[np.isfinite(values)])
        if values.size:
            for out, p in zip(found, permille, strict=True):
                out[second] = values[nearest_rank(values.size, p) - 1]
    return found


def _of_live(live: Sequence[LiveLine], seconds: int) -> tuple[pa.Array, pa.Array]:
    by_second: dict[int, list[LiveLine]] = defaultdict(list)
    for line in live:
        by_second[(line.t_ns - 1) // NS_PER_S].append(line)  # t_ns is the end of the line's second
    lag: list[float | None] = []
    cpu: list[float | None] = []
    for second in range(seconds):
        lines = by_second.get(second, [])
        late = quantile_ns(merge(line.loop_lag for line in lines), 990)
        lag.append(None if late is None else late / NS_PER_MS)
        cpu.append(max((line.cpu_ratio for line in lines), default=None))
    return pa.array(lag, pa.float64()), pa.array(cpu, pa.float64())
