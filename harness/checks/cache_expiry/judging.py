"""Was the model asked again once the answer was old? By the provider's records, whatever the target says of its cache."""

from harness.checks.cache_expiry.planning import PLANNER
from harness.checks.evidence import calls_of, evidence_of, judgement, records_of
from harness.checks.expectations import is_good
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status, Test
from harness.model.plan import PlannedCheck

_NAMES = ("first", "soon", "old")


def judge_cache_expiry(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether a cached answer became old. Raises RunDirectoryError."""
    ttl_s = int(complete(PLANNER.settings, check.settings)["ttl_s"])
    records = records_of(reading, check)
    first, soon, old = (next((r for r in records.get(name, []) if is_good(r)), None) for name in _NAMES)
    if reading.calls is None:
        reason = "cache expiry: the provider's records are missing, so nothing says when a model was asked"
        return judgement(check, Status.INCONCLUSIVE, reason)
    if first is None or soon is None or old is None or first.ended_ns is None or old.started_ns is None:
        return judgement(check, Status.INCONCLUSIVE, "cache expiry: not every question was answered")
    calls = calls_of(reading, [record.request_id for record in (first, soon, old)])
    asked = [bool(calls.get(record.request_id)) for record in (first, soon, old)]
    if not asked[0] or asked[1]:
        reason = "cache expiry: the answer was not kept at all, so none could become old"
        return judgement(check, Status.INCONCLUSIVE, reason)
    age_s = (old.started_ns - first.ended_ns) / 1e9
    if age_s <= ttl_s:
        return judgement(check, Status.INCONCLUSIVE, f"cache expiry: nobody asked later than {ttl_s} s after the answer")
    test = Test(quantity="age_of_an_answer_s", op="<=", limit=float(ttl_s), value=0.0 if asked[2] else round(age_s, 3), n=3)
    if not asked[2]:
        reason = f"cache expiry: an answer was given again {age_s:.1f} s after it was made; it is old after {ttl_s} s"
        return judgement(check, Status.FAIL, reason, test=test, evidence=(evidence_of(old),))
    reason = f"cache expiry: an answer was given again at once, and made anew {age_s:.1f} s later; it is old after {ttl_s} s"
    return judgement(check, Status.PASS, reason, test=test)
