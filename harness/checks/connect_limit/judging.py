"""How long did those wait who found no connection, while the database was held?"""

import numpy as np

from harness.checks.connect_limit.planning import PLANNER
from harness.checks.evidence import MOST_EVIDENCE, judgement
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.model.judgement import Evidence, Judgement, Shown, Status, Test
from harness.model.outcome import Result
from harness.model.plan import PlannedCheck
from harness.model.units import format_duration, parse_duration_ns

NEVER_EARLIER = 0.95
"""A bound does not end before its time; what ends well before it was another one."""


def judge_connect_limit(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether connecting was given up in time, and by anybody. Raises RunDirectoryError."""
    values = complete(PLANNER.settings, check.settings)
    within_ns, slack_ns = parse_duration_ns(values["within"]), parse_duration_ns(values["slack"])
    place, limit = str(values["database"]), format_duration(within_ns)
    held = next((f for f in reading.faults if f.at == place and f.phase == check.phase and f.confirmed_ns is not None), None)
    if held is None or held.confirmed_ns is None or held.requested_ns is None:
        reason = (
            f"connect limit: no fault at {place} was confirmed in phase {check.phase}, so nobody had to wait for a connection"
        )
        return judgement(check, Status.INCONCLUSIVE, reason)
    # Who began so late that the fault may have ended before the limit did could have been let in.
    last_ns = min(reading.plan.phase(check.phase).end_ns, held.cleared_ns or reading.ended_ns) - within_ns - slack_ns
    requests = reading.requests
    # It acts from the request on; who was answered before it was confirmed may have had a connection.
    mine = requests.mix & (requests.started_ns >= held.requested_ns) & (requests.started_ns < last_ns)
    mine &= (requests.started_ns >= held.confirmed_ns) | ~requests.answered
    took = requests.ended_ns - requests.started_ns
    hung = requests.result.is_in([Result.TIMEOUT, Result.CANCELLED]) | np.isnan(took)
    over = mine & (hung | (took > within_ns + slack_ns))
    gave_up = mine & ~over & requests.result.is_in([Result.REFUSED]) & (took >= NEVER_EARLIER * within_ns)
    n, bad, seen = (int(np.count_nonzero(which)) for which in (mine, over, gave_up))
    known = took[mine & ~np.isnan(took)]
    test = Test(quantity="waited_too_long_for_a_connection", op="<=", limit=0.0, value=float(bad), n=n, bad=bad)
    shown = Shown(quantity="longest request", unit="s", value=float(known.max()) / 1e9 if known.size else None)
    if bad:
        seqs = requests.seq[over]
        reason = (
            f"connect limit: {bad} of {n} requests waited longer than {limit} while {place} was held, first request {seqs[0]}"
        )
        evidence = tuple(Evidence(kind="request", ref=str(seq)) for seq in seqs[:MOST_EVIDENCE])
        return judgement(check, Status.FAIL, reason, test=test, shown=shown, evidence=evidence)
    if not seen:
        reason = (
            f"connect limit: none of {n} requests was refused after about {limit}, so nobody is known to have tried to connect"
        )
        return judgement(check, Status.INCONCLUSIVE, reason, test=test, shown=shown)
    how = (
        f"{seen} of {n} requests waited for a connection and were refused after {float(took[gave_up].max()) / 1e9:.2f} s at most"
    )
    reason = f"connect limit: {how}; {limit} are allowed"
    return judgement(check, Status.PASS, reason, test=test, shown=shown)
