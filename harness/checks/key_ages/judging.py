"""How old is the oldest key that works?"""

from harness.checks.evidence import action_of, judgement, undone
from harness.checks.key_ages.planning import PLANNER, TELL
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Shown, Status, Test
from harness.model.plan import PlannedCheck


def judge_key_ages(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether every key that works is young enough. Raises RunDirectoryError."""
    days = float(complete(PLANNER.settings, check.settings)["days"])
    if (why := undone(reading, check, TELL)) is not None:
        return judgement(check, Status.INCONCLUSIVE, f"key ages: {why}")
    told = action_of(reading, check, TELL)
    assert told is not None
    keys, oldest = told.data.get("keys"), told.data.get("oldest_days")
    if not isinstance(keys, int) or keys < 1 or isinstance(oldest, bool) or not isinstance(oldest, int | float):
        return judgement(check, Status.INCONCLUSIVE, "key ages: no key that works was told of, and so no age")
    test = Test(quantity="oldest_key_days", op="<=", limit=days, value=float(oldest), n=keys)
    shown = Shown(quantity="oldest key", unit="days", value=round(float(oldest), 3))
    status = Status.PASS if oldest <= days else Status.FAIL
    reason = f"the oldest of {keys} keys that work is {oldest:.4g} days old; {days:.4g} are allowed"
    return judgement(check, status, reason if status is Status.PASS else f"key ages: {reason}", test=test, shown=shown)
