"""Was there money left for the user who had left three answers in the middle?"""

from harness.checks.evidence import answered, evidence_of, judgement, records_of
from harness.checks.expectations import is_good
from harness.checks.reservation_leak.planning import LEAVING, STAYING
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status, Test
from harness.model.outcome import Refusal, Result
from harness.model.plan import PlannedCheck


def judge_reservation_leak(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether reservations are let go. Raises RunDirectoryError."""
    records = records_of(reading, check)
    left = [r for n in range(LEAVING) for r in records.get(f"leaves-{n}", []) if r.result == Result.TIMEOUT.value]
    stayed = [r for n in range(STAYING) for r in answered(records.get(f"stays-{n}", []))]
    served = [record for record in stayed if is_good(record)]
    broke = [record for record in stayed if record.refusal == Refusal.BUDGET.value]
    test = Test(quantity="served_afterwards", op=">=", limit=float(STAYING), value=float(len(served)), n=len(stayed))
    if len(left) < LEAVING:
        reason = f"only {len(left)} of {LEAVING} answers could be left in the middle, so nothing was put to the test"
        return judgement(check, Status.INCONCLUSIVE, reason, test=test)
    if broke:
        reason = (
            f"a user who left {LEAVING} answers in the middle was refused for the budget afterwards: what was held for them was "
            "never let go"
        )
        return judgement(check, Status.FAIL, reason, test=test, evidence=(evidence_of(broke[0]),))
    if len(served) < STAYING:
        reason = f"{STAYING - len(served)} of {STAYING} requests after it were neither answered nor refused for the budget"
        return judgement(check, Status.INCONCLUSIVE, reason, test=test)
    reason = f"after {LEAVING} answers left in the middle, another was served from a budget for {LEAVING + 0.5:g}"
    return judgement(check, Status.PASS, reason, test=test)
