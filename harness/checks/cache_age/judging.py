"""Was a model asked again exactly when the answer was old? By the provider's records, and by the clocks that were moved."""

from harness.checks.cache_age.planning import AGES, FIRST, LEVELS, PLANNER
from harness.checks.evidence import calls_of, evidence_of, in_force, judgement, records_of
from harness.checks.expectations import is_good
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status, Test
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord

SKEW, OFFSET = "clock_skew", "offset"


def judge_cache_age(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether a cached answer was given as long as it may be. Raises RunDirectoryError."""
    ttl_s = int(complete(PLANNER.settings, check.settings)["ttl_s"])
    records = records_of(reading, check)
    if reading.calls is None:
        return judgement(
            check, Status.INCONCLUSIVE, "cache age: the provider's records are missing, so nothing says when a model was asked"
        )
    calls = calls_of(reading, [record.request_id for asked in records.values() for record in asked])
    unseen: list[str] = []
    ages_s: dict[str, float] = {}
    problems: list[tuple[str, ProbeRecord]] = []
    for case in (f"{level}-{age}" for level in LEVELS for age in AGES):
        first, again = (next((r for r in records.get(name, []) if is_good(r)), None) for name in (f"{FIRST}-{case}", case))
        if first is None or again is None or not calls.get(first.request_id):
            unseen.append(f"{case}: the question was not answered twice, or by no model the first time")
            continue
        age_s = _age_s(reading, first, again)
        if age_s is None or (age_s > ttl_s) is not case.endswith("old"):
            unseen.append(f"{case}: the clock of instance {again.instance} was not where it had to be when it was asked")
            continue
        ages_s[case] = age_s
        asked = bool(calls.get(again.request_id))
        if case.endswith("old") and not asked:
            problems.append(
                (f"an answer was given again {age_s:.0f} s after it was made ({case}); it is old after {ttl_s} s", again)
            )
        elif case.endswith("young") and asked:
            unseen.append(f"{case}: the answer was not kept, so that none could become old")
    test = Test(
        quantity="answers_given_too_long",
        op="<=",
        limit=0.0,
        value=float(len(problems)) if ages_s else None,
        n=len(ages_s),
        bad=len(problems),
    )
    if problems:
        text, record = problems[0]
        return judgement(check, Status.FAIL, f"cache age: {text}", test=test, evidence=(evidence_of(record),))
    if unseen:
        return judgement(check, Status.INCONCLUSIVE, f"cache age: {unseen[0]}", test=test)
    young, old = (min(age_s for case, age_s in ages_s.items() if case.endswith(age)) for age in AGES)
    how = f"gave an answer of {young:.0f} s again, and asked anew for one of {old:.0f} s"
    reason = f"cache age: both levels {how}; it is old after {ttl_s} s"
    return judgement(check, Status.PASS, reason, test=test)


def _age_s(reading: Reading, first: ProbeRecord, again: ProbeRecord) -> float | None:
    """Return how old the answer was by the clock of who was asked again; None where that clock was moving meanwhile."""
    if first.started_ns is None or first.ended_ns is None or again.started_ns is None or again.ended_ns is None:
        return None
    was, now = _offset_s(reading, first), _offset_s(reading, again)
    return None if was is None or now is None else (again.started_ns - first.ended_ns) / 1e9 + now - was


def _offset_s(reading: Reading, record: ProbeRecord) -> float | None:
    """Return how far the instance's clock was moved throughout an exchange, None where nobody can say."""
    planned = {fault.id: fault for fault in reading.plan.faults}
    for fault in reading.faults:
        if fault.kind != SKEW or fault.at != f"clocks.service-{record.instance}":
            continue
        if (throughout := in_force(fault, record)) is not False:
            return float(planned[fault.id].parameters[OFFSET]) if throughout else None
    return 0.0
