"""How long did each request wait before it was tried again? From the end of one call to the arrival of the next.

A wait is never shorter than the service meant, and on a busy machine now and then longer. So the shortest is about what was
meant, and where all are meant to be the same most lie close above it. Where each is drawn by itself, few do.
"""

import itertools
import statistics
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.checks.evidence import judgement
from harness.checks.retry_backoff.planning import PLANNER
from harness.checks.settings import complete
from harness.measure.columns import batches
from harness.measure.reading import Reading
from harness.model.judgement import Evidence, Judgement, Shown, Status, Test
from harness.model.plan import PlannedCheck
from harness.model.units import parse_duration_ns

LEAST = 8
"""Fewer waits may lie together by chance. Of eight that are drawn from half to whole, six do in one of two thousand cases."""
TOGETHER = 1.1
"""Waits up to so many times the shortest are called the same."""
MOST_TOGETHER = 0.7
MOST_EVIDENCE = 5


def judge_retry_backoff(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether retries wait, and not in step. Raises RunDirectoryError."""
    values = complete(PLANNER.settings, check.settings)
    endpoint, at_least_ns = str(values["endpoint"]), parse_duration_ns(values["at_least"])
    if reading.calls is None:
        reason = "the provider's records are missing, so nothing says when it was asked again"
        return judgement(check, Status.INCONCLUSIVE, f"retry backoff: {reason}")
    waits = waits_of(reading, check.phase, endpoint)
    first = [each[0] for each in waits.values()]
    if len(first) < LEAST:
        told = f"{len(first)} requests of phase {check.phase} were tried again at the {endpoint} model; {LEAST} are needed"
        return judgement(check, Status.INCONCLUSIVE, f"retry backoff: {told} to compare how long they waited")
    middle_ns, shortest_ns = statistics.median(first), min(first)
    together = sum(wait_ns <= TOGETHER * shortest_ns for wait_ns in first) / len(first)
    shown = Shown(quantity="wait before the first retry", unit="s", value=middle_ns / 1e9)
    test = Test(quantity="waits_in_step", op="<=", limit=MOST_TOGETHER, value=together, n=len(first))
    spread = f"{_ms(shortest_ns)} to {_ms(max(first))}, half of them up to {_ms(middle_ns)}"
    told = f"{len(first)} requests were tried again at the {endpoint} model in phase {check.phase} after {spread}"
    evidence = tuple(Evidence(kind="request", ref=str(seq)) for seq in [*waits][:MOST_EVIDENCE])
    problem = None
    if middle_ns < at_least_ns:
        problem = f"half of them waited less than {values['at_least']}: that is no backoff"
    elif together > MOST_TOGETHER:
        problem = f"{together:.0%} waited the same time to a tenth: without jitter they come back in step"
    elif (shrunk := _shrunk(waits)) is not None:
        problem = shrunk
    if problem is not None:
        return judgement(check, Status.FAIL, f"retry backoff: {told}; {problem}", test=test, shown=shown, evidence=evidence)
    more = sum(len(each) > 1 for each in waits.values())
    grown = f", and {more} of them once more, after longer" if more >= LEAST else ""
    reason = f"retry backoff: {told}{grown}; {together:.0%} waited the same time to a tenth"
    return judgement(check, Status.PASS, reason, test=test, shown=shown)


def waits_of(reading: Reading, phase: str, endpoint: str) -> dict[int, list[int]]:
    """Return how long each request of a phase waited before each further try, in nanoseconds; only those tried again."""
    rows = np.flatnonzero(reading.members[phase].eligible)
    table = reading.requests.columns.rows(["seq", "call_ids"], rows)
    tried = {
        seq: ids for seq, ids in zip(table["seq"].to_pylist(), table["call_ids"].to_pylist(), strict=True) if ids and len(ids) > 1
    }
    moments = _moments(reading, [each for ids in tried.values() for each in ids], endpoint)
    found: dict[int, list[int]] = {}
    for seq, ids in tried.items():
        mine = sorted(moments[each] for each in ids if each in moments)
        waits = [began - over for (_, over), (began, _) in itertools.pairwise(mine) if over is not None]
        if waits and min(waits) >= 0:  # a call that began before the other had ended is no retry
            found[seq] = waits
    return found


def _moments(reading: Reading, ids: Sequence[str], endpoint: str) -> Mapping[str, tuple[int, int | None]]:
    """Return when each of these calls came and ended, of those that went to the endpoint."""
    wanted = pa.array(ids, pa.string())
    found: dict[str, tuple[int, int | None]] = {}
    for batch in batches(reading.run, "truth/calls.parquet", ["call_id", "endpoint", "received_ns", "ended_ns"]):
        there = pc.equal(batch.column(1).cast(pa.string()), endpoint)
        mine = batch.filter(pc.and_(there, pc.is_in(batch.column(0).cast(pa.string()), value_set=wanted)))
        for call_id, began_ns, ended_ns in zip(*(mine.column(n).to_pylist() for n in (0, 2, 3)), strict=True):
            found[str(call_id)] = (began_ns, ended_ns)
    return found


def _shrunk(waits: Mapping[int, Sequence[int]]) -> str | None:
    """Return that the second wait is no longer than the first, where enough requests had both."""
    both = [each for each in waits.values() if len(each) > 1]
    if len(both) < LEAST:
        return None
    first, second = (statistics.median(each[n] for each in both) for n in (0, 1))
    return None if second > first else f"the second wait, {_ms(second)}, is no longer than the first, {_ms(first)}"


def _ms(ns: float) -> str:
    return f"{ns / 1e6:.0f} ms"
