"""Did liveness hold, and did readiness tell the truth once it had time to hear of it?

One late or missing answer is a busy machine; two in a row of one instance are what a probe of a cluster would act on.
"""

from collections import Counter
from collections.abc import Callable, Sequence

from harness.checks.evidence import begins_ns_of, evidence_of, judgement, records_of
from harness.checks.expectations import is_good
from harness.checks.health.planning import PLANNER
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status, Test
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord
from harness.model.units import parse_duration_ns

LEAST = 4


def judge_health(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether the health endpoints told the truth in this phase. Raises RunDirectoryError."""
    values = complete(PLANNER.settings, check.settings)
    records = records_of(reading, check)
    begins_ns = begins_ns_of(reading, check.phase) + parse_duration_ns(values["settles"])
    live = [record for record in records.get("live", []) if record.started_ns is not None]
    told = [r for r in records.get("ready", []) if r.started_ns is not None and r.started_ns >= begins_ns]
    goes = values["ready"] == "goes"
    wrong = _two_in_a_row(live, lambda record: not is_good(record))
    text = "liveness was denied"
    if wrong is None:
        wrong = _two_in_a_row(told, is_good if goes else lambda record: not is_good(record))
        text = "readiness says that it can serve, and it cannot" if goes else "readiness says that it cannot serve, and it can"
    counts = Counter(record.instance for record in told)
    n = len(live) + len(told)
    test = Test(quantity="wrong_twice_in_a_row", op="<=", limit=0.0, value=float(wrong is not None), n=n)
    if wrong is not None:
        code = wrong.status_code if wrong.status_code is not None else f"no answer ({wrong.error_kind})"
        when = f"{wrong.at_ns / 1e9:.1f} s into the run"
        reason = f"{text}: instance {wrong.instance} answered {wrong.name} with {code} twice in a row, {when}"
        return judgement(check, Status.FAIL, reason, test=test, evidence=(evidence_of(wrong),))
    if not counts or min(counts.values()) < LEAST or not live:
        reason = f"fewer than {LEAST} answers of an instance came once readiness had to be right, so it was not put to the test"
        return judgement(check, Status.INCONCLUSIVE, reason, test=test)
    said = "not ready" if goes else "ready"
    reason = f"{len(counts)} instances stayed live and said {said} throughout phase {check.phase} ({n} answers)"
    return judgement(check, Status.PASS, reason, test=test)


def _two_in_a_row(records: Sequence[ProbeRecord], is_wrong: Callable[[ProbeRecord], bool]) -> ProbeRecord | None:
    """Return the second of two wrong answers of one instance that followed each other; None where there are none."""
    before: dict[str | None, bool] = {}
    for record in sorted(records, key=lambda each: each.at_ns):
        wrong = is_wrong(record)
        if wrong and before.get(record.instance, False):
            return record
        before[record.instance] = wrong
    return None
