"""The longest wait: nobody is held longer than this, whatever hangs. One observation of this run, without an interval.

A share would let a few be held for ever: those who were under way when a dependency froze are the ones that hang.
"""

import numpy as np

from harness.judge.rows import row_of
from harness.judge.wording import count, seconds
from harness.measure.reading import Reading
from harness.measure.shares import selected
from harness.model.judgement import Evidence, Judgement, Shown, Status, Test
from harness.model.objective import Objective
from harness.model.units import NS_PER_S


def judge_longest(reading: Reading, objective: Objective) -> list[Judgement]:
    """Return one judgement for each phase that the objective names."""
    return [_judge_phase(reading, objective, name) for name in objective.during]


def _judge_phase(reading: Reading, objective: Objective, phase: str) -> Judgement:
    requests, members = reading.requests, reading.members[phase]
    limit_s = objective.limit / NS_PER_S
    # Who began within the phase, straddling its edge or not: those are the ones that a fault catches under way.
    rows = np.flatnonzero(members.intended & requests.mix & ~requests.cancelled & selected(objective, requests))
    took_s = (requests.ended_ns[rows] - requests.intended_ns[rows]) / NS_PER_S
    took_s = np.where(np.isnan(took_s), np.inf, took_s)
    rows, took_s = rows[~np.isnan(requests.started_ns[rows])], took_s[~np.isnan(requests.started_ns[rows])]
    longest = float(took_s.max()) if rows.size else None
    shown_s = longest if longest is not None and np.isfinite(longest) else None
    test = Test(quantity="longest_wait_s", op="<=", limit=limit_s, value=shown_s, n=int(rows.size))
    shown = Shown(quantity="longest wait", unit="s", value=shown_s)
    if longest is None:
        reason = f"no request of phase {phase} was sent, so nobody could be held"
        return row_of(objective, Status.INCONCLUSIVE, reason, phase=phase, test=test)
    held = rows[took_s > limit_s]
    worst = held[np.argsort(-took_s[took_s > limit_s], kind="stable")][:5]
    told = "one never ended" if shown_s is None else f"the longest of {count(int(rows.size), 'request')} took {seconds(shown_s)}"
    more = f"; {count(int(held.size), 'request')} took longer than it may" if held.size else ""
    return row_of(
        objective,
        Status.FAIL if held.size else Status.PASS,
        f"in phase {phase} {told} (limit {seconds(limit_s)}){more}",
        phase=phase,
        test=test,
        shown=shown,
        evidence=tuple(Evidence(kind="request", ref=str(requests.seq[row])) for row in worst),
    )
