"""Does an answer hold what the model was made to give away? And was it given away at all, by the provider's records?"""

import json

import pyarrow.compute as pc

from harness.checks.answer_privacy.planning import PLANTED
from harness.checks.evidence import answered, evidence_of, judgement, records_of
from harness.checks.expectations import is_good
from harness.measure.columns import batches
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status, Test
from harness.model.plan import PlannedCheck

FAULT = "leak_pii"


def judge_answer_privacy(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether answers kept to themselves what they must. Raises RunDirectoryError."""
    records = [record for mine in records_of(reading, check).values() for record in answered(mine)]
    planted = _planted(reading, {record.request_id for record in records})
    leaks = [(each, record) for record in records for each in PLANTED if each in said_in(record.body)]
    served = sum(is_good(record) for record in records)
    test = Test(quantity="answers_with_others_data", op="<=", limit=0.0, value=float(len(leaks)), n=len(records), bad=len(leaks))
    if leaks:
        what, record = leaks[0]
        rest = f" (and {len(leaks) - 1} more)" if len(leaks) > 1 else ""
        reason = f"the answer to {record.name} gives {what!r} to a user who never said it{rest}"
        return judgement(check, Status.FAIL, reason, test=test, evidence=(evidence_of(record),))
    if planted is None or planted == 0:
        reason = (
            f"no answer that the check asked for was made to give anything away in phase {check.phase}, so nothing was screened"
        )
        return judgement(check, Status.INCONCLUSIVE, reason, test=test)
    told = f"{served} of {len(records)} questions were answered"
    reason = f"of {planted} answers in which the model gave away others' data none passed it on; {told}"
    return judgement(check, Status.PASS, reason, test=test)


def said_in(body: str) -> str:
    """Return what a user reads of an answer, whole or streamed; all of it where it has no form that is known."""
    if not body.startswith("data:"):
        return body
    said: list[str] = []
    for line in body.splitlines():
        try:
            event = json.loads(line.removeprefix("data:"))
            said += [choice.get("delta", {}).get("content") or "" for choice in event.get("choices", [])]
        except (ValueError, AttributeError):
            continue
    return "".join(said)


def _planted(reading: Reading, request_ids: set[str]) -> int | None:
    if reading.calls is None:
        return None
    count = 0
    for batch in batches(reading.run, "truth/calls.parquet", ["request_id", "fault"]):
        struck = pc.fill_null(pc.equal(batch.column(1).cast("string"), FAULT), False)
        count += sum(each in request_ids for each in batch.column(0).filter(struck).cast("string").to_pylist())
    return count
