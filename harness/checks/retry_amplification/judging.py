"""How many calls did one request cause at a provider? Counted from the join of samples with the provider's records."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.checks.retry_amplification.planning import PLANNER
from harness.checks.settings import complete
from harness.measure.columns import batches
from harness.measure.reading import Reading
from harness.model.judgement import Evidence, Judgement, Shown, Status, Test
from harness.model.objective import Kind, Severity
from harness.model.plan import PlannedCheck

MOST_EVIDENCE = 5
LEAST_REQUESTS = 20
"""Fewer requests that reached the provider say nothing about an average."""


def judge_retry_amplification(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether retries were bounded while the phase lasted. Raises RunDirectoryError."""
    values = complete(PLANNER.settings, check.settings)
    endpoint, at_most, for_one = str(values["endpoint"]), float(values["at_most"]), int(values["for_one"])
    seqs, counts = _calls_per_request(reading, check.phase, endpoint)
    reached = counts > 0
    requests, calls = int(np.count_nonzero(reached)), int(counts.sum())
    average = calls / requests if requests else None
    most = int(counts.max()) if requests else 0
    status, reason = Status.INCONCLUSIVE, ""
    told = f"{calls} calls of {requests} requests reached the {endpoint} model in phase {check.phase}"
    if reading.calls is None:
        reason = "the provider's records are missing, so nothing says how often it was asked"
    elif requests == 0:
        reason = f"no request reached the {endpoint} model in phase {check.phase}, so no retry could be seen"
    elif most > for_one:
        status = Status.FAIL
        reason = f"one request caused {most} calls (allowed: {for_one}); {told}"
    elif requests < LEAST_REQUESTS:  # a circuit that opened at once leaves few to count, and each of them counts
        status, reason = Status.PASS, f"{told}, too few for an average, and none caused more than {most} (allowed: {for_one})"
    elif average is not None and average > at_most:
        status, reason = Status.FAIL, f"{told}: {average:.2f} for each request (allowed: {at_most:g})"
    else:
        status, reason = Status.PASS, f"{told}: {average:.2f} for each request (allowed: {at_most:g}), {most} at most for one"
    worst = seqs[np.argsort(-counts, kind="stable")][:MOST_EVIDENCE] if status is Status.FAIL else seqs[:0]
    return Judgement(
        id=check.id,
        kind=Kind.CHECK,
        severity=Severity.GATE,
        status=status,
        reason=reason,
        covers=check.covers,
        phase=check.phase,
        written=f"retry amplification at the {endpoint} model",
        test=Test(quantity="calls_per_request", op="<=", limit=at_most, value=average, n=requests),
        shown=Shown(quantity="most calls of one request", unit="count", value=float(most)),
        evidence=tuple(Evidence(kind="request", ref=str(seq)) for seq in worst),
    )


def _calls_per_request(reading: Reading, phase: str, endpoint: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the seq of each judged request of the phase, and how many calls it caused at the endpoint."""
    rows = np.flatnonzero(reading.members[phase].eligible)
    table = reading.requests.columns.rows(["seq", "call_ids"], rows)
    lists = table["call_ids"].combine_chunks()
    calls, parents = (
        pc.list_flatten(lists),
        np.asarray(pc.list_parent_indices(lists).to_numpy(zero_copy_only=False), dtype=np.int64),
    )
    there = [pa.array([], pa.string())]
    if reading.calls is not None:
        there += [
            batch.column(0).filter(pc.equal(batch.column(1).cast(pa.string()), endpoint))
            for batch in batches(reading.run, "truth/calls.parquet", ["call_id", "endpoint"])
        ]
    counted = np.asarray(pc.is_in(calls, value_set=pa.concat_arrays(there)).to_numpy(zero_copy_only=False), dtype=bool)
    return table["seq"].to_numpy(), np.bincount(parents[counted], minlength=rows.size)
