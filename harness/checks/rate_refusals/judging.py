"""Were exactly the first ones let through, and was the rest told truly how long to wait?"""

from harness.checks.evidence import Expectation, judge_table
from harness.checks.expectations import is_good, is_typed
from harness.checks.rate_refusals.planning import PLANNER, TOO_MANY
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord


def judge_rate_refusals(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether refusals for the rate are exact and say when. Raises RunDirectoryError."""
    values = complete(PLANNER.settings, check.settings)
    limit, window_s = int(values["limit"]), int(values["window_s"])
    typed = is_typed(429)

    def refused_with_a_time(record: ProbeRecord) -> bool:
        told = record.headers.get("retry-after", "")
        limits = [record.headers.get(f"x-ratelimit-{what}-requests", "") for what in ("limit", "remaining", "reset")]
        numbers = all(text.isdigit() for text in (told, *limits))
        return typed(record) and numbers and 1 <= int(told) <= window_s and limits[:2] == [str(limit), "0"]

    expectations = [
        Expectation(name=f"within-{n}", says=f"request {n + 1} of {limit} in a window is let through", holds=is_good)
        for n in range(limit)
    ]
    expectations += [
        Expectation(
            name=f"beyond-{n}",
            says=f"request {limit + n + 1} is refused with 429, a Retry-After of 1 to {window_s} s and the limit's headers",
            holds=refused_with_a_time,
        )
        for n in range(TOO_MANY)
    ]
    return judge_table(reading, check, expectations, what="rate refusals", cannot_look=(502, 503, 504))
