"""Were exactly as many requests let through as the limit allows? Counted from the samples of the burst."""

import numpy as np

from harness.checks.rate_limit.planning import PLANNER, class_name
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.measure.requests import Mask
from harness.model.judgement import Evidence, Judgement, Status, Test
from harness.model.objective import Kind, Severity
from harness.model.outcome import Refusal, Result
from harness.model.plan import PlannedCheck

MOST_EVIDENCE = 5


def judge_rate_limit(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether the limit was exact under concurrency. Raises RunDirectoryError."""
    limit = int(complete(PLANNER.settings, check.settings)["limit"])
    requests = reading.requests
    rows = requests.user_class.is_in([class_name(check)])
    by_rate = rows & requests.result.is_in([Result.REFUSED]) & requests.refusal.is_in([Refusal.RATE])
    through = rows & requests.answered
    lost = rows & ~by_rate & ~through
    status, reason, telling = _decide(limit, requests.result.counts(lost), rows, through, by_rate, lost)
    n, passed = int(np.count_nonzero(rows)), int(np.count_nonzero(through))
    return Judgement(
        id=check.id,
        kind=Kind.CHECK,
        severity=Severity.GATE,
        status=status,
        reason=reason,
        covers=check.covers,
        phase=check.phase,
        written=f"rate limit of {limit}",
        test=Test(quantity="let_through", op="==", limit=float(limit), value=float(passed) if n else None, n=n),
        evidence=tuple(Evidence(kind="request", ref=str(seq)) for seq in requests.seq[telling][:MOST_EVIDENCE]),
    )


def _decide(
    limit: int, otherwise: dict[str, int], rows: Mask, through: Mask, by_rate: Mask, lost: Mask
) -> tuple[Status, str, Mask]:
    """Return status, reason and the requests that show it."""
    sent, passed, refused = (int(np.count_nonzero(mask)) for mask in (rows, through, by_rate))
    told = f"{passed} of one user's {sent} requests at one moment were let through, {refused} refused for their rate"
    if sent == 0:
        return Status.INCONCLUSIVE, "no request of the burst was recorded, so the limit was never put to the test", rows
    if passed > limit:
        return Status.FAIL, f"{told}: the limit is {limit}", through
    if otherwise:
        what = ", ".join(f"{number} {name}" for name, number in otherwise.items())
        return (
            Status.INCONCLUSIVE,
            f"{told}; the rest ended otherwise ({what}), so nobody can say whom the limit let through",
            lost,
        )
    if passed < limit:
        return Status.FAIL, f"{told}: the limit is {limit}, and {limit - passed} honest requests were refused", by_rate
    return Status.PASS, f"{told}: exactly the limit of {limit}", rows & False
