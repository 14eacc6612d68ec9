"""Did each key work exactly as long as it should?"""

from harness.checks.evidence import Expectation, judge_table
from harness.checks.expectations import is_good, is_status
from harness.measure.reading import Reading
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

EXPECTATIONS = (
    Expectation(name="before", says="the old key works before the rotation", holds=is_good),
    Expectation(name="old-in-overlap", says="the old key still works during the overlap", holds=is_good),
    Expectation(name="new-in-overlap", says="every instance takes the new key at once", holds=is_good),
    Expectation(name="old-after", says="no instance takes the old key after the overlap", holds=is_status(401)),
    Expectation(name="new-after", says="the new key works on", holds=is_good),
)


def judge_key_rotation(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether the key rotated without a dropped request. Raises RunDirectoryError."""
    return judge_table(reading, check, EXPECTATIONS, rests_on=("rotate",), what="key rotation")
