"""Was a key found, and was anything looked at?"""

from harness.checks.evidence import action_of, judgement, undone
from harness.checks.secret_scan.planning import PLANNER, SCAN
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status, Test
from harness.model.plan import PlannedCheck


def judge_secret_scan(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether the code holds no key. Raises RunDirectoryError."""
    wants_history = bool(complete(PLANNER.settings, check.settings)["history"])
    if (why := undone(reading, check, SCAN)) is not None:
        return judgement(check, Status.INCONCLUSIVE, f"secret scan: {why}")
    told = action_of(reading, check, SCAN)
    assert told is not None
    files, commits, found = (told.data.get(name) for name in ("files", "commits", "found"))
    if not isinstance(found, int) or not isinstance(files, int):
        return judgement(check, Status.INCONCLUSIVE, "secret scan: nothing was told of what was found")
    test = Test(quantity="keys_in_code", op="<=", limit=0.0, value=float(found), n=files, bad=found)
    if found:
        reason = f"secret scan: {found} found, to be ended where they were issued: {told.data.get('where')}"
        return judgement(check, Status.FAIL, reason, test=test)
    if not files:
        return judgement(check, Status.INCONCLUSIVE, "secret scan: there was no file to look at", test=test)
    if wants_history and not commits:
        reason = f"secret scan: {files} files hold no key, and there was no history to look at"
        return judgement(check, Status.INCONCLUSIVE, reason, test=test)
    over = f"{files} files and {commits} commits hold" if commits else f"{files} files hold"
    return judgement(check, Status.PASS, f"secret scan: {over} no key of a known form", test=test)
