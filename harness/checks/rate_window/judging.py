"""Was a user who had been refused let in again when the window had ended?"""

from harness.checks.evidence import answered, evidence_of, judgement, records_of
from harness.checks.expectations import is_good
from harness.checks.rate_window.planning import MEANWHILE, PLANNER
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status, Test
from harness.model.plan import PlannedCheck

_TOO_MANY = 429


def judge_rate_window(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether the window ended. Raises RunDirectoryError."""
    window_s = int(complete(PLANNER.settings, check.settings)["window_s"])
    records = records_of(reading, check)
    refused = [
        record
        for n in range(MEANWHILE)
        for record in answered(records.get(f"meanwhile-{n}", []))
        if record.status_code == _TOO_MANY and record.started_ns is not None
    ]
    afterwards = next(iter(answered(records.get("afterwards", []))), None)
    first = next((record for record in answered(records.get("within-0", [])) if is_good(record)), None)
    if first is None or first.ended_ns is None or not refused:
        reason = "rate window: the user was never refused, so no window could be seen to end"
        return judgement(check, Status.INCONCLUSIVE, reason)
    if afterwards is None or afterwards.started_ns is None or afterwards.started_ns < first.ended_ns + window_s * 1_000_000_000:
        return judgement(check, Status.INCONCLUSIVE, "rate window: nobody asked after the window had ended")
    waited_s = (afterwards.started_ns - first.ended_ns) / 1e9
    test = Test(quantity="refused_after_the_window", op="<=", limit=0.0, value=float(not is_good(afterwards)), n=1)
    told = f"{waited_s:.1f} s after the first request of a window of {window_s} s; {len(refused)} were refused meanwhile"
    if is_good(afterwards):
        return judgement(check, Status.PASS, f"rate window: the user was let in again {told}", test=test)
    evidence = (evidence_of(afterwards),)
    if afterwards.status_code == _TOO_MANY:
        return judgement(check, Status.FAIL, f"rate window: the user is still refused {told}", test=test, evidence=evidence)
    reason = f"rate window: the request after it was answered with {afterwards.status_code}, which says nothing of the limit"
    return judgement(check, Status.INCONCLUSIVE, reason, test=test, evidence=evidence)
