"""Is what a user reads after an outage the very sentence that was said for want of a model?"""

from harness.checks.evidence import MOST_EVIDENCE, evidence_of, judgement, records_of
from harness.checks.expectations import is_good, json_of
from harness.checks.polite_answers.planning import QUESTIONS
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status, Test
from harness.model.outcome import Source
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord

_POLITE = (Source.CANNED.value, Source.STALE_CACHE.value)


def judge_polite_answers(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether the answers of the outage were forgotten. Raises RunDirectoryError."""
    records = records_of(reading, check)
    put: list[tuple[ProbeRecord, ProbeRecord]] = []
    unseen = "no question was answered politely before the phase, so nothing could have been kept"
    for n in range(QUESTIONS):
        first = next((r for r in records.get(f"first-{n}", []) if is_good(r) and r.source in _POLITE and _said(r)), None)
        again = next((r for r in records.get(f"again-{n}", []) if is_good(r)), None)
        if first is None:
            continue
        if again is None or again.source in _POLITE:
            unseen = "no model answered after the outage, so nobody can say what was kept of it"
        else:
            put.append((first, again))
    kept = [again for first, again in put if _said(first) == _said(again)]
    test = Test(quantity="kept", op="<=", limit=0.0, value=float(len(kept)), n=len(put), bad=len(kept))
    if kept:
        reason = f"{len(kept)} of {len(put)} questions still got the polite answer of the outage, as if it were a model's"
        evidence = tuple(evidence_of(record) for record in kept[:MOST_EVIDENCE])
        return judgement(check, Status.FAIL, reason, test=test, evidence=evidence)
    if not put:
        return judgement(check, Status.INCONCLUSIVE, unseen, test=test)
    return judgement(
        check, Status.PASS, f"{len(put)} questions that got a polite answer in the outage got a model's after it", test=test
    )


def _said(record: ProbeRecord) -> str | None:
    body = json_of(record)
    choices = body.get("choices") if isinstance(body, dict) else None
    message = choices[0].get("message") if isinstance(choices, list) and choices and isinstance(choices[0], dict) else None
    text = message.get("content") if isinstance(message, dict) else None
    return text if isinstance(text, str) else None
