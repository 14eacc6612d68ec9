"""Did every case get the answer that it must get, and did no attack reach a model?"""

from dataclasses import replace

from harness.checks.evidence import Expectation, calls_of, evidence_of, judge_table, records_of
from harness.checks.expectations import is_good, is_typed
from harness.checks.input_validation.corpus import ATTACKS, CASES, LOOK_ALIKES, Case
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status
from harness.model.plan import PlannedCheck


def _of(case: Case) -> Expectation:
    holds = is_good if case.status == 200 else is_typed(case.status, case.code)
    return Expectation(name=case.name, says=case.says, holds=holds)


EXPECTATIONS = (
    *(_of(case) for case in CASES),
    *(
        Expectation(
            name=f"attack-{n}", says=f"an attack is refused by its rule ({prompt[:40]!r})", holds=is_typed(400, "content_blocked")
        )
        for n, prompt in enumerate(ATTACKS)
    ),
    *(
        Expectation(name=f"look-alike-{n}", says=f"a look-alike is answered ({prompt[:40]!r})", holds=is_good)
        for n, prompt in enumerate(LOOK_ALIKES)
    ),
)


def judge_input_validation(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether the corpus was treated as it must be. Raises RunDirectoryError."""
    told = judge_table(reading, check, EXPECTATIONS, what="input validation")
    if told.status is Status.FAIL:
        return told
    attacks = [record for name, records in records_of(reading, check).items() if name.startswith("attack-") for record in records]
    reached = calls_of(reading, [record.request_id for record in attacks])
    if reached:
        first = next(record for record in attacks if record.request_id in reached)
        reason = f"input validation: {len(reached)} refused attacks had been sent to the provider all the same: {first.name}"
        return replace(told, status=Status.FAIL, reason=reason, evidence=(evidence_of(first),))
    return told
