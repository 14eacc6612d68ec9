"""What of a run goes into a baseline, and whether a later plan may be compared with it."""

import hashlib
from dataclasses import replace

import numpy as np

from harness.measure.reading import Reading
from harness.measure.requests import Floats, Mask
from harness.model.baseline import BaselineMark
from harness.model.histogram import bucket_of
from harness.model.plan import PhaseKind, Plan
from harness.rundir import codec
from harness.stats import effective_n, nearest_rank

MARKS = (500, 950)
"""The percentiles whose exceedance is compared: the middle, and the usual objective."""


def configuration_of(plan: Plan) -> str:
    """Return the digest of what two runs must share to be comparable: phases, load, faults, kind of target, plug-ins."""
    faults = [replace(fault, seed=0) for fault in plan.faults]
    load = replace(plan.load, workers=1)  # who sends it is no part of what is sent
    code = [[each.path, each.digest] for each in plan.plugins]  # what a plug-in breaks is its code's to say
    return hashlib.sha256(codec.to_json([plan.phases, load, faults, plan.target.kind, *([code] if code else [])])).hexdigest()


def histograms_of(reading: Reading) -> dict[str, dict[int, int]]:
    """Return the response times of the judged and answered requests of each phase, in buckets."""
    found = {}
    for name, members in reading.members.items():
        if members.phase.kind is not PhaseKind.WARMUP:
            took = reading.requests.response_ns[members.eligible & reading.requests.answered]
            buckets, counts = np.unique([bucket_of(int(ns)) for ns in took], return_counts=True)
            found[name] = {int(bucket): int(count) for bucket, count in zip(buckets, counts, strict=True)}
    return found


def marks_of(reading: Reading) -> tuple[BaselineMark, ...]:
    """Return for each phase how many requests were slower than its own percentiles; none where those were never reached."""
    marks = []
    for name, members in reading.members.items():
        due = members.eligible & reading.requests.due
        took = reading.requests.response_ns[due]
        if members.phase.kind is PhaseKind.WARMUP or took.size == 0:
            continue
        for permille in MARKS:
            value = float(np.sort(took)[nearest_rank(took.size, permille) - 1])
            if np.isfinite(value):
                marks.append(mark_at(name, permille, bucket_of(int(value)), took))
    return tuple(marks)


def mark_at(phase: str, permille: int, bucket: int, took_ns: Floats) -> BaselineMark:
    """Return how many durations lie above a bucket; +infinity does. took_ns: in order of intended time."""
    above: Mask = np.array([not np.isfinite(ns) or bucket_of(int(ns)) > bucket for ns in took_ns], dtype=np.bool_)
    return BaselineMark(
        phase=phase,
        permille=permille,
        bucket=bucket,
        above=int(np.count_nonzero(above)),
        n=int(above.size),
        n_effective=round(effective_n(above), 1),
    )
