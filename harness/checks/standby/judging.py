"""Was a standby told to become a primary beside one that works, and was it told where there was none?"""

from collections.abc import Mapping

from harness.checks.evidence import action_of, judgement, undone
from harness.checks.standby.planning import PROMOTE
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status, Test
from harness.model.plan import PlannedCheck


def judge_standby(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether the operators' program promotes a standby when it should, and only then. Raises RunDirectoryError."""
    if (why := undone(reading, check, PROMOTE)) is not None:
        return judgement(check, Status.INCONCLUSIVE, f"standby: {why}")
    ended = action_of(reading, check, PROMOTE)
    told: Mapping[str, object] = {} if ended is None else ended.data
    beside, without = told.get("beside_promoted"), told.get("without_promoted")
    if not isinstance(beside, int) or not isinstance(without, int):
        return judgement(check, Status.INCONCLUSIVE, "standby: nothing was told of what the standby was asked")
    test = Test(quantity="promoted_beside_a_primary", op="<=", limit=0.0, value=float(beside), n=1, bad=beside)
    if beside:
        reason = "it was told to become a primary while the first one worked: two databases would take what is spent"
        return judgement(check, Status.FAIL, f"standby: {reason}", test=test)
    if not told.get("beside_asked") or not told.get("without_asked"):
        reason = "standby: the program never spoke to it, so it was not put to the test"
        return judgement(check, Status.INCONCLUSIVE, reason, test=test)
    if not without or told.get("without_exit") != 0:
        reason = f"its primary was gone, and it was not promoted (the program ended with exit code {told.get('without_exit')})"
        return judgement(check, Status.FAIL, f"standby: {reason}", test=test)
    if told.get("beside_exit") == 0:
        reason = "it was not promoted beside a primary that worked, and the program says that all went well"
        return judgement(check, Status.FAIL, f"standby: {reason}", test=test)
    reason = (
        f"beside a primary that works it was not promoted (exit code {told.get('beside_exit')}), and with the primary gone it was"
    )
    return judgement(check, Status.PASS, f"standby: {reason}", test=test)
