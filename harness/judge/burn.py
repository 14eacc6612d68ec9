"""Error-budget burn over two windows: would the usual alert have fired in this phase?

A promise of 99.9 % leaves 0.1 % of the requests as the error budget; a burn rate of 14.4 spends it 14.4 times as fast
as it may be. The alert fires when both the long window and the short one within it burn faster than the limit: the
long one so that a blip does not, the short one so that what is over does not. The figure is the greatest, over the
phase, of the smaller of both rates. A figure of this run, counted and not estimated: it has no interval.
"""

import numpy as np

from harness.judge.rows import row_of
from harness.judge.wording import count, percent, seconds
from harness.measure.reading import Reading
from harness.model.judged_time import BURN_REQUESTS, burn_moments
from harness.model.judgement import Evidence, Judgement, Shown, Status, Test
from harness.model.objective import Objective
from harness.model.plan import Phase
from harness.model.units import NS_PER_S


def judge_burn(reading: Reading, objective: Objective) -> list[Judgement]:
    """Return one judgement for each phase that the objective names."""
    return [_judge_phase(reading, objective, reading.plan.phase(name)) for name in objective.during]


def _judge_phase(reading: Reading, objective: Objective, phase: Phase) -> Judgement:
    assert objective.windows_ns is not None
    assert objective.slo is not None
    worst, looked, at_ns = _worst(reading, phase, objective.windows_ns, 1 - objective.slo)
    long_s, short_s = (seconds(window / NS_PER_S) for window in objective.windows_ns)
    test = Test(quantity="burn_rate", op="<=", limit=objective.limit, value=worst, n=looked)
    promise = f"a promise of {percent(objective.slo)}"
    if worst is None:
        reason = (
            f"no moment of phase {phase.name} has {long_s} of it behind it with {BURN_REQUESTS} requests in each window, "
            f"so no burn rate over {long_s} and {short_s} could be told"
        )
        return row_of(objective, Status.INCONCLUSIVE, reason, phase=phase.name, test=test)
    status = Status.PASS if worst <= objective.limit else Status.FAIL
    reason = (
        f"in phase {phase.name} the error budget of {promise} burned at up to {worst:.1f} times its rate over {long_s} and "
        f"{short_s} (limit {objective.limit:g}; {count(looked, 'moment')} looked at"
        + (f"; worst {seconds(at_ns / NS_PER_S)} after the start)" if worst else ")")
    )
    shown = Shown(quantity="burn rate", unit="times", value=worst)
    evidence = (Evidence(kind="plot", ref="timeline"),)
    return row_of(objective, status, reason, phase=phase.name, test=test, shown=shown, evidence=evidence)


def _worst(reading: Reading, phase: Phase, windows_ns: tuple[int, int], budget: float) -> tuple[float | None, int, int]:
    """Return the worst burn rate, at how many moments it was looked for, and when it was."""
    requests = reading.requests
    counted = np.concatenate(([0], np.cumsum(requests.mix & ~requests.cancelled)))
    bad = np.concatenate(([0], np.cumsum(requests.mix & requests.bad)))
    until_ns = min(phase.end_ns, reading.ended_ns)
    worst, looked, at_ns = None, 0, 0
    for moment in burn_moments(phase, windows_ns[0], until_ns):
        rates = []
        for window in windows_ns:
            low, high = np.searchsorted(requests.intended_ns, (moment - window, moment))
            n = int(counted[high] - counted[low])
            if n >= BURN_REQUESTS:
                rates.append(float(bad[high] - bad[low]) / n / budget)
        if len(rates) == len(windows_ns):
            looked += 1
            if worst is None or min(rates) > worst:
                worst, at_ns = min(rates), moment
    return worst, looked, at_ns
