"""Was somebody let through whom nobody could count?"""

from harness.checks.evidence import Expectation, judge_table
from harness.checks.expectations import is_typed
from harness.checks.fails_closed.planning import USERS
from harness.measure.reading import Reading
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord

_TYPED = is_typed(503)


def judge_fails_closed(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether every request was refused with a time to come back. Raises RunDirectoryError."""
    expectations = [
        Expectation(
            name=f"asked-{n}",
            says=f"user {n + 1} is refused with a typed 503 and a Retry-After while nobody can be counted",
            holds=_is_refused,
        )
        for n in range(USERS)
    ]
    return judge_table(reading, check, expectations, what="fails closed", cannot_look=(502, 504))


def _is_refused(record: ProbeRecord) -> bool:
    return _TYPED(record) and record.headers.get("retry-after", "").isdigit()
