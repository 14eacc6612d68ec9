"""How long did the slowest request of the phase take, however it ended?"""

import numpy as np

from harness.checks.evidence import MOST_EVIDENCE, judgement
from harness.checks.settings import complete
from harness.checks.time_limits.planning import PLANNER
from harness.measure.reading import Reading
from harness.model.judgement import Evidence, Judgement, Shown, Status, Test
from harness.model.outcome import Result
from harness.model.plan import PlannedCheck
from harness.model.units import format_duration, parse_duration_ns


def judge_time_limits(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether anybody waited longer than allowed. Raises RunDirectoryError."""
    values = complete(PLANNER.settings, check.settings)
    limit_ns, least = parse_duration_ns(values["within"]), int(values["least"])
    requests = reading.requests
    phase = reading.plan.phase(check.phase)
    mine = requests.mix & (requests.intended_ns >= phase.start_ns) & (requests.intended_ns < phase.end_ns)
    mine &= ~np.isnan(requests.started_ns)
    took = requests.ended_ns - requests.started_ns
    hung = requests.result.is_in([Result.TIMEOUT, Result.CANCELLED])  # nothing came as long as the client waited
    over = mine & (hung | np.isnan(took) | (took > limit_ns))
    n, bad = int(np.count_nonzero(mine)), int(np.count_nonzero(over))
    known = took[mine & ~np.isnan(took)]
    longest_s = float(known.max()) / 1e9 if known.size else None
    test = Test(quantity="waited_too_long", op="<=", limit=0.0, value=float(bad), n=n, bad=bad)
    shown = Shown(quantity="longest request", unit="s", value=longest_s)
    within = format_duration(limit_ns)
    if bad:
        seqs = requests.seq[over]
        reason = f"{bad} of {n} requests of phase {check.phase} waited longer than {within}: the first is request {seqs[0]}"
        evidence = tuple(Evidence(kind="request", ref=str(seq)) for seq in seqs[:MOST_EVIDENCE])
        return judgement(check, Status.FAIL, reason, test=test, shown=shown, evidence=evidence)
    if n < least:
        reason = f"only {n} requests were sent in phase {check.phase}; {least} are needed"
        return judgement(check, Status.INCONCLUSIVE, reason, test=test, shown=shown)
    reason = f"the longest of {n} requests of phase {check.phase} took {longest_s:.3g} s, {within} are allowed"
    return judgement(check, Status.PASS, reason, test=test, shown=shown)
