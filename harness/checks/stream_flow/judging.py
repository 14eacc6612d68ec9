"""Over which time did streams arrive, and over which did the model say them? By the provider's own clock of its chunks.

A bound on the time to the first token cannot tell: a short answer that is held back until it is whole is early enough. But
its pieces then all arrive at one moment, while the model took hundreds of milliseconds to say them.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.checks.evidence import MOST_EVIDENCE, judgement
from harness.checks.settings import complete
from harness.checks.stream_flow.planning import PLANNER
from harness.measure.columns import batches
from harness.measure.reading import Reading
from harness.model.judgement import Evidence, Judgement, Shown, Status, Test
from harness.model.plan import PlannedCheck

TELLS_FROM_NS = 100_000_000
"""An answer that the model says in less tells nothing: a single stall of a busy machine is as long."""


def judge_stream_flow(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether streams flow. Raises RunDirectoryError."""
    values = complete(PLANNER.settings, check.settings)
    at_least, least = float(values["at_least"]), int(values["least"])
    if reading.calls is None:
        reason = "the provider's records are missing, so nothing says over which time the model said its answers"
        return judgement(check, Status.INCONCLUSIVE, reason)
    seqs, shares = _shares(reading, check.phase)
    n = int(shares.size)
    median = float(np.median(shares)) if n else None
    test = Test(quantity="share_of_the_models_time", op=">=", limit=at_least, value=median, n=n)
    shown = Shown(quantity="median share of the model's time", unit="ratio", value=median)
    if median is None or n < least:
        reason = f"only {n} streams of phase {check.phase} can be held against their calls; {least} are needed"
        return judgement(check, Status.INCONCLUSIVE, reason, test=test, shown=shown)
    told = f"the median of {n} streams of phase {check.phase} arrived over {median:.0%} of the time in which the model said it"
    told = told.replace("%", " %")
    if median < at_least:
        evidence = tuple(Evidence(kind="request", ref=str(seq)) for seq in seqs[np.argsort(shares)][:MOST_EVIDENCE])
        reason = f"{told}: streams are held back until they are whole"
        return judgement(check, Status.FAIL, reason, test=test, shown=shown, evidence=evidence)
    return judgement(check, Status.PASS, told, test=test, shown=shown)


def _shares(reading: Reading, phase: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the seq of each whole stream of one call, and which share of the model's time it arrived over."""
    requests = reading.requests
    rows = np.flatnonzero(reading.members[phase].eligible & requests.streamed & requests.answered)
    table = requests.columns.rows(["seq", "call_ids", "first_content_ns", "last_content_ns"], rows)
    lists = table["call_ids"].combine_chunks()
    single = np.asarray(pc.fill_null(pc.equal(pc.list_value_length(lists), 1), False).to_numpy(zero_copy_only=False), dtype=bool)
    calls = pc.list_flatten(lists.filter(pa.array(single)))
    spoken = _spoken_ns(reading)
    model_ns = np.array([spoken.get(call, np.nan) for call in calls.to_pylist()], dtype=np.float64)
    arrived_ns = _floats(table["last_content_ns"]) - _floats(table["first_content_ns"])
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = arrived_ns[single] / model_ns
        tells = (model_ns >= TELLS_FROM_NS) & ~np.isnan(shares)
    return table["seq"].to_numpy()[single][tells], shares[tells]


def _spoken_ns(reading: Reading) -> dict[str, float]:
    """Return from the first to the last piece of each whole call."""
    spoken: dict[str, float] = {}
    for batch in batches(reading.run, "truth/calls.parquet", ["call_id", "first_content_ns", "last_content_ns", "ended"]):
        whole = batch.filter(pc.equal(batch.column(3).cast(pa.string()), "completed"))
        took = _floats(whole.column(2)) - _floats(whole.column(1))
        spoken.update(zip(whole.column(0).to_pylist(), took.tolist(), strict=True))
    return spoken


def _floats(column: pa.Array | pa.ChunkedArray) -> np.ndarray:
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
