"""Was the provider called for the other user, too? Each question's calls are found by its tag, and told apart by their time."""

from collections.abc import Mapping, Sequence

from harness.checks.evidence import MOST_EVIDENCE, evidence_of, judgement, records_of
from harness.checks.expectations import is_good
from harness.checks.shared_answers.planning import AGAIN, FIRST, OTHER, QUESTIONS, tag_of
from harness.measure.columns import batches
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status, Test
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord


def judge_shared_answers(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether each question was sent on for the other user too. Raises RunDirectoryError."""
    if reading.calls is None:
        reason = "shared answers: the provider's records are missing, and nobody else tells who was answered by whom"
        return judgement(check, Status.INCONCLUSIVE, reason)
    records = records_of(reading, check)
    received = _received(reading, [tag_of(check, n) for n in range(QUESTIONS)])
    shared: list[ProbeRecord] = []
    seen = cached = 0
    for n in range(QUESTIONS):
        first, again, other = (next(iter(records.get(f"{step}-{n}", ())), None) for step in (FIRST, AGAIN, OTHER))
        moments = received[tag_of(check, n)]
        if first is None or other is None or not (is_good(first) and is_good(other)) or not _called(first, moments):
            continue
        seen += 1
        cached += again is not None and is_good(again) and not _called(again, moments)
        if not _called(other, moments):
            shared.append(other)
    test = Test(quantity="shared_answers", op="<=", limit=0.0, value=float(len(shared)), n=seen, bad=len(shared))
    if shared:
        reason = (
            f"shared answers: {len(shared)} of {seen} questions that one user had asked were answered to another without a call "
            "of the model: from a cache that both have"
        )
        return judgement(check, Status.FAIL, reason, test=test, evidence=tuple(map(evidence_of, shared[:MOST_EVIDENCE])))
    if seen < QUESTIONS:
        unseen = f"{QUESTIONS - seen} of {QUESTIONS} questions were not answered to both users after a call of the model"
        return judgement(check, Status.INCONCLUSIVE, f"shared answers: {unseen}", test=test)
    kept = f"{cached} of them were kept for the user who had asked" if cached else "none was kept for anybody"
    told = f"shared answers: all {seen} questions were sent on for the other user; {kept}"
    return judgement(check, Status.PASS, told, test=test)


def _received(reading: Reading, tags: Sequence[str]) -> Mapping[str, list[int]]:
    found: dict[str, list[int]] = {tag: [] for tag in tags}
    for batch in batches(reading.run, "truth/calls.parquet", ["tag", "received_ns"]):
        for tag, moment_ns in zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True):
            if tag in found:
                found[tag].append(moment_ns)
    return found


def _called(record: ProbeRecord, moments_ns: Sequence[int]) -> bool:
    """Return whether a call came in while the question was being answered: the steps of one question do not overlap."""
    if record.started_ns is None or record.ended_ns is None:
        return False
    return any(record.started_ns <= moment <= record.ended_ns for moment in moments_ns)
