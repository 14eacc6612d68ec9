"""Was a user with a good key told that it is wrong?"""

from harness.checks.evidence import Expectation, judge_table
from harness.checks.known_keys.planning import USERS
from harness.measure.reading import Reading
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord

BLAME = (401, 403)


def judge_known_keys(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether nobody was blamed for a fault of the service. Raises RunDirectoryError."""
    expectations = [
        Expectation(name=f"asked-{n}", says=f"the good key of user {n + 1} is never called wrong", holds=_is_no_blame)
        for n in range(USERS)
    ]
    return judge_table(reading, check, expectations, what="known keys", cannot_look=())


def _is_no_blame(record: ProbeRecord) -> bool:
    return record.status_code not in BLAME
