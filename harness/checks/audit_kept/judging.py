"""Does every refusal that a user was told stand in the log, read after the outage?"""

from harness.checks.audit_kept.planning import ATTACKS, OUTCOME
from harness.checks.evidence import MOST_EVIDENCE, answered, evidence_of, judgement, records_of
from harness.checks.expectations import error_of, is_good, json_of
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status, Test
from harness.model.plan import PlannedCheck


def judge_audit_kept(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether the refusals of the phase were written down in the end. Raises RunDirectoryError."""
    records = records_of(reading, check)
    read = next((record for record in reversed(answered(records.get("read", []))) if is_good(record)), None)
    told = [
        record
        for n in range(ATTACKS)
        for record in answered(records.get(f"attack-{n}", []))
        if (error_of(record) or {}).get("code") == OUTCOME
    ]
    body = None if read is None else json_of(read)
    entries = body.get("entries") if isinstance(body, dict) else None
    if read is None or not isinstance(entries, list):
        return judgement(check, Status.INCONCLUSIVE, "audit kept: the log could not be read, so nothing says what it holds")
    if not told:
        reason = f"audit kept: nobody was refused with {OUTCOME} in phase {check.phase}, so nothing had to be kept"
        return judgement(check, Status.INCONCLUSIVE, reason)
    kept = {entry.get("request_id") for entry in entries if isinstance(entry, dict) and entry.get("outcome") == OUTCOME}
    lost = [record for record in told if record.request_id not in kept]
    test = Test(quantity="refusals_not_kept", op="<=", limit=0.0, value=float(len(lost)), n=len(told), bad=len(lost))
    if lost:
        reason = f"audit kept: {len(lost)} of {len(told)} refusals of phase {check.phase} do not stand in the log after it"
        evidence = tuple(evidence_of(record) for record in lost[:MOST_EVIDENCE])
        return judgement(check, Status.FAIL, reason, test=test, evidence=evidence)
    reason = f"audit kept: {len(told)} refusals of phase {check.phase} stand in the log that was read after it"
    return judgement(check, Status.PASS, reason, test=test)
