"""Did each key work exactly as long as it should?"""

from harness.checks.evidence import Expectation, begun_ns_of, judge_table
from harness.checks.expectations import is_good, is_status
from harness.checks.key_rotation.planning import OVERLAP_S
from harness.checks.planned import S
from harness.measure.reading import Reading
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord

EXPECTATIONS = (
    Expectation(name="before", says="the old key works before the rotation", holds=is_good),
    Expectation(name="old-in-overlap", says="the old key still works during the overlap", holds=is_good),
    Expectation(name="new-in-overlap", says="every instance takes the new key at once", holds=is_good),
    Expectation(name="old-after", says="no instance takes the old key after the overlap", holds=is_status(401)),
    Expectation(name="new-after", says="the new key works on", holds=is_good),
)


def judge_key_rotation(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether the key rotated without a dropped request. Raises RunDirectoryError."""
    begun_ns = begun_ns_of(reading, check, "rotate")

    def too_late(record: ProbeRecord) -> bool:
        # The overlap begins somewhere in the rotation; where that took long, it may be over before it is known to be done.
        ends_ns = (begun_ns or 0) + OVERLAP_S * S
        return record.name == "old-in-overlap" and (record.ended_ns is None or record.ended_ns > ends_ns)

    return judge_table(reading, check, EXPECTATIONS, rests_on=("rotate",), what="key rotation", too_late=too_late)
