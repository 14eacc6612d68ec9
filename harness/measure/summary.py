"""A run in numbers: `measurements/`, from the run directory alone."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from harness.measure.frames import distribution, request_rows, timeline
from harness.measure.membership import Members, Standing
from harness.measure.pictures import breakers_of, gaps_of, heat_of
from harness.measure.quantiles import quantiles_of
from harness.measure.reading import Reading, read_run
from harness.measure.requests import Floats, Mask
from harness.model.measurement import PhaseSummary, Summary
from harness.model.objective import Kind, Quantity
from harness.model.units import NS_PER_MS, NS_PER_S
from harness.rundir import RunDirectory, codec
from harness.rundir.files import write_whole
from harness.rundir.tables import write_parquet


def measure(run: RunDirectory) -> Summary:
    """Write `measurements/` and return the summary; closes the samples first where only streams are left.

    The columns of the frames are listed in `harness.model.measurement`. Raises RunDirectoryError, StorageError.
    """
    return write_measurements(run, read_run(run))


def write_measurements(run: RunDirectory, reading: Reading) -> Summary:
    """Write `measurements/` of a run that was read already, and return its summary. Raises StorageError."""
    reading.prepare()
    rows = request_rows(reading.requests)
    # Two at a time: of a large run each takes seconds, in which Arrow and NumPy let others work. They begin in this order,
    # so that who waits for the kept rows, and the calls counted with them, never waits for one that has not begun.
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="measure") as pool:
        kept = pool.submit(reading.rows, _KEPT, rows)
        made = {
            "gaps": pool.submit(gaps_of, reading),
            "cdf": pool.submit(distribution, reading.requests, reading.judged),
            "heat": pool.submit(heat_of, reading),
            "timeline": pool.submit(timeline, reading.plan, reading.requests, reading.live),
            "breakers": pool.submit(breakers_of, reading),
            "requests": pool.submit(lambda: _requests_table(reading, rows, kept.result())),
        }
        summed = pool.submit(lambda: (kept.result(), summarise(reading))[1])
        pool.submit(lambda: reading.health)  # for who judges
    summary = summed.result()
    for name, future in made.items():
        table = future.result()
        write_parquet(run.measurements / f"{name}.parquet", table, table.schema)
    write_whole(run.measurements / "summary.json", codec.to_pretty_json(summary))
    return summary


def summarise(reading: Reading) -> Summary:
    """Return the figures of a run."""
    plan = reading.plan
    calls = reading.calls.count if reading.calls is not None else 0
    spend, source = mix_spend_usd(reading)
    return Summary(
        run_id=plan.run_id,
        duration_s=duration_s(reading),
        phases=tuple(_phase_summary(reading, members) for members in reading.members.values()),
        recoveries=tuple(aftermath.as_recovery() for aftermath in reading.aftermaths),
        spend_usd=0.0 if spend is None else spend,
        spend_source=source,
        planned_spend_usd=plan.planned_cost_usd,
        provider_calls=calls,
        unmatched_calls=max(0, calls - int(reading.calls_per_request.sum())),
    )


def duration_s(reading: Reading) -> float:
    """Return the seconds from the run's zero to the end of its load, or of its last request where that is later.

    A run that was cut short ended when it was cut, whatever it had planned.
    """
    ended = reading.requests.ended_ns[~np.isnan(reading.requests.ended_ns)]
    return max(float(reading.ended_ns), float(ended.max()) if ended.size else 0.0) / NS_PER_S


def mix_spend_usd(reading: Reading) -> tuple[float | None, str]:
    """Return what the ordinary load cost in dollars, and who says so: `provider`, `target` or `unknown` (None).

    By the provider: every call but those that a check's burst caused. A call that cannot be joined counts: a broken
    join must not make a run cheap. Without the provider's records, what the target claims.
    """
    requests = reading.requests
    if reading.calls is not None:
        of_bursts = float(np.nansum(requests.metered_cost_usd[~requests.mix]))
        return max(0.0, reading.calls.cost_usd - of_bursts), "provider"
    claimed = requests.claimed_cost_usd[requests.mix]
    if np.all(np.isnan(claimed)):
        return None, "unknown"
    return float(np.nansum(claimed)), "target"


def _good(reading: Reading, members: Members) -> Mask:
    """Return which of the requests that stand in a phase's rows were answered within every latency bound that applies to it."""
    requests, phase, rows = reading.requests, members.phase, members.rows
    good: Mask = (members.standing != Standing.FOREIGN) & requests.answered[rows]
    for objective in reading.plan.objectives:
        if objective.kind is not Kind.RATIO or (objective.during and phase.name not in objective.during):
            continue
        about = requests.user_class.within(rows).is_in(objective.classes) if objective.classes else np.ones_like(good)
        bound = np.nan if objective.threshold_ns is None else float(objective.threshold_ns)
        if objective.quantity is Quantity.LATENCY:
            good &= ~about | (requests.response_ns[rows] <= bound)
        elif objective.quantity is Quantity.TTFT:
            good &= ~about | ~requests.streamed[rows] | (requests.ttft_ns[rows] <= bound)
    return good


def _phase_summary(reading: Reading, members: Members) -> PhaseSummary:
    # Of the phase's own rows only: masks over all rows of a run, once for each of its phases, take seconds of a large one.
    requests, phase, rows = reading.requests, members.phase, members.rows
    intended, eligible = members.standing != Standing.FOREIGN, members.standing == Standing.ELIGIBLE
    due, whole = eligible & requests.due[rows], eligible & requests.model_answered[rows]
    count = np.count_nonzero
    spend = np.nansum(requests.metered_cost_usd[rows][intended])
    return PhaseSummary(
        name=phase.name,
        kind=phase.kind,
        start_s=phase.start_ns / NS_PER_S,
        end_s=phase.end_ns / NS_PER_S,
        intended=int(count(intended)),
        straddling=members.count(Standing.STRADDLING),
        recovering=members.count(Standing.RECOVERING),
        cancelled=members.count(Standing.CANCELLED),
        eligible=int(count(eligible)),
        bad=int(count(eligible & requests.bad[rows])),
        results=requests.result.within(rows).counts(eligible),
        sources=requests.source.within(rows).counts(eligible & requests.answered[rows]),
        refusals=requests.refusal.within(rows).counts(eligible),
        response=quantiles_of(requests.response_ns[rows][due]),
        service=quantiles_of(requests.service_ns(rows)[due]),
        ttft=quantiles_of(requests.ttft_ns[rows][due & requests.streamed[rows]]),
        fallback=int(count(whole & requests.fallback[rows])),
        fallback_of=int(count(whole)),
        goodput_rps=float(count(_good(reading, members))) * NS_PER_S / max(1, phase.end_ns - phase.start_ns),
        spend_usd=float(spend),
        calls=int(reading.calls_per_request[rows][intended].sum()),
    )


_KEPT = ("status_code", "request_id", "call_ids")
"""What is read for `requests.parquet` alone; the rest of it is held for everybody."""


def _requests_table(reading: Reading, rows: npt.NDArray[np.int64], kept: pa.Table) -> pa.Table:
    """Return `requests.parquet`: the rows that it keeps. kept: what was read of them."""
    requests = reading.requests
    exposed = np.logical_or.reduce([*reading.exposed.values()], axis=0) if reading.exposed else np.zeros(requests.size, bool)
    provider_ns = np.full(rows.size, np.nan)
    if reading.calls is not None:
        provider_ns = reading.calls.spent_ns(kept["call_ids"].to_pylist())

    def seconds(values: Floats) -> pa.Array:
        finite = np.where(np.isfinite(values), values, np.nan)
        return pa.array(finite / NS_PER_S, from_pandas=True)

    phases = _phases_of(reading, requests.intended_ns[rows])
    expected = requests.expected[rows]
    return pa.table(
        {
            "seq": pa.array(requests.seq[rows]),
            "phase": phases,
            "user_class": requests.user_class.at(rows),
            "principal": requests.principal.at(rows),
            "model": requests.model.at(rows),
            "streamed": pa.array(requests.streamed[rows]),
            "exposed": pa.array(exposed[rows]),
            "intended_s": pa.array(requests.intended_ns[rows] / NS_PER_S),
            "response_s": seconds(requests.response_ns[rows]),
            "service_s": seconds(requests.service_ns(rows)),
            "ttft_s": seconds(requests.ttft_ns[rows]),
            "lag_ms": pa.array(requests.lag_ns[rows] / NS_PER_MS, from_pandas=True),
            "result": requests.result.at(rows),
            "source": requests.source.at(rows),
            "refusal": requests.refusal.at(rows),
            "error_kind": requests.error_kind.at(rows),
            "expected": pa.array(expected == 1, mask=expected < 0),
            "status_code": pc.cast(kept["status_code"], pa.int64()),
            "bad": pa.array(requests.bad[rows]),
            "provider_s": seconds(provider_ns),
            "calls": pa.array(reading.calls_per_request[rows]),
            "request_id": kept["request_id"],
        }
    )


def _phases_of(reading: Reading, at_ns: npt.NDArray[np.int64]) -> pa.Array:
    """Return the name of the phase that each moment is in, null where in none."""
    phases = reading.plan.phases
    found = np.full(at_ns.size, -1, dtype=np.int32)
    for place, phase in reversed(list(enumerate(phases))):  # of two that hold a moment, the first
        found[(at_ns >= phase.start_ns) & (at_ns < phase.end_ns)] = place
    return pa.array([phase.name for phase in phases], pa.string()).take(pa.array(found, mask=found < 0))
