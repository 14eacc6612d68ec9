"""Does what happened stand in the log, whole, and does it still stand there when it is read again?"""

from harness.checks.audit_log.planning import RELEVANT
from harness.checks.evidence import answered, evidence_of, judgement, records_of, undone
from harness.checks.expectations import is_good, json_of
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status, Test
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord

_FIELDS = ("seq", "at", "request_id", "actor", "tenant", "action", "outcome")


def judge_audit_log(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether the audit log holds what it must. Raises RunDirectoryError."""
    records = records_of(reading, check)
    reads = [next((r for r in answered(records.get(name, [])) if is_good(r)), None) for name in ("first", "second")]
    if (why := undone(reading, check, "change")) is not None:
        return judgement(check, Status.INCONCLUSIVE, f"audit log: {why}")
    first, second = reads
    if first is None or second is None:
        return judgement(check, Status.INCONCLUSIVE, "the audit log could not be read, so nothing says what it holds")
    entries, again = _entries(first), _entries(second)
    problems: list[tuple[str, ProbeRecord]] = []
    for name, outcome in RELEVANT.items():
        for record in answered(records.get(name, [])):
            mine = [entry for entry in entries if entry.get("request_id") == record.request_id]
            if not any(entry.get("outcome") == outcome and entry.get("actor") for entry in mine):
                problems.append((f"{name} (request {record.request_id}) does not stand there with outcome {outcome}", record))
    if not any(str(entry.get("action")) == "knowledge.put" and entry.get("outcome") == "done" for entry in entries):
        problems.append(("the change of the knowledge base does not stand there", first))
    lacking = [field for field in _FIELDS for entry in entries if entry.get(field) in (None, "")]
    if lacking:
        problems.append((f"an entry says no `{lacking[0]}`", first))
    if again[: len(entries)] != entries:
        problems.append(("what was read once does not stand there a second later as it did", second))
    erased = [record for record in answered(records.get("erase", [])) if is_good(record)]
    problems += [("an administrator could erase it over HTTP", record) for record in erased]
    unasked = [name for name in RELEVANT if not answered(records.get(name, []))]
    test = Test(quantity="audit_gaps", op="<=", limit=0.0, value=float(len(problems)), n=len(entries), bad=len(problems))
    if problems:
        text, record = problems[0]
        return judgement(check, Status.FAIL, f"audit log: {text}", test=test, evidence=(evidence_of(record),))
    if unasked:
        reason = f"audit log: {unasked[0]} got no answer, so nothing says whether it would stand there"
        return judgement(check, Status.INCONCLUSIVE, reason, test=test)
    reason = f"audit log: both refusals and the change stand there with who, what, when and outcome, among {len(entries)} entries"
    return judgement(check, Status.PASS, reason, test=test)


def _entries(record: ProbeRecord) -> list[dict[str, object]]:
    body = json_of(record)
    entries = body.get("entries") if isinstance(body, dict) else None
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
