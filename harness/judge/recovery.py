"""Duration objectives: how soon after its fault was proved clear the service was itself again, in this drill.

One drill is one observation: it is reported as such, never as a rate. A recovery that was not seen is censored, "longer
than what was looked at": it fails only where what was looked at is longer than the limit.
"""

from harness.judge.rows import row_of
from harness.judge.wording import count, seconds
from harness.measure.reading import Reading
from harness.measure.recovery import Aftermath
from harness.measure.shares import steady_ratios
from harness.model.judged_time import GOOD_IN_A_ROW
from harness.model.judgement import Evidence, Judgement, Shown, Status, Test
from harness.model.objective import Objective
from harness.model.units import NS_PER_S


def judge_recovery(reading: Reading, objective: Objective) -> list[Judgement]:
    """Return the judgement of one recovery objective."""
    aftermath = next((a for a in reading.aftermaths if a.after == objective.after), None)
    status, reason, value_s, at_least_s = _decide(reading, objective, aftermath)
    limit_s = objective.limit / NS_PER_S
    test = Test(
        quantity="recovered_within_s", op=objective.op, limit=limit_s, value=value_s, lower=at_least_s, n=1 if aftermath else 0
    )
    shown = Shown(quantity="recovery in this drill", unit="s", value=value_s)
    evidence = (Evidence(kind="plot", ref="timeline"),)
    return [row_of(objective, status, reason, phase=objective.after, test=test, shown=shown, evidence=evidence)]


def _decide(
    reading: Reading, objective: Objective, aftermath: Aftermath | None
) -> tuple[Status, str, float | None, float | None]:
    """Return status, reason, the time it took, and without one the least that it took; in seconds."""
    limit_s = objective.limit / NS_PER_S
    if aftermath is None:
        return Status.INCONCLUSIVE, f"phase {objective.after} had no fault to recover from", None, None
    if aftermath.proved_clear_ns is None:
        return Status.INCONCLUSIVE, f"the fault of phase {objective.after} was never proved clear", None, None
    if not steady_ratios(reading.plan):
        return Status.INCONCLUSIVE, "no ratio objective says what a good steady state is, so none can be found again", None, None
    if aftermath.recovered_ns is not None:
        took_s = (aftermath.recovered_ns - aftermath.proved_clear_ns) / NS_PER_S
        status = Status.PASS if took_s <= limit_s else Status.FAIL
        text = (
            f"the service met its steady objectives {seconds(took_s)} after the fault of phase {objective.after} was proved "
            f"clear (limit {seconds(limit_s)}), in this one drill"
        )
        return status, text, took_s, None
    assert aftermath.not_before_ns is not None
    at_least_s = (aftermath.not_before_ns - aftermath.proved_clear_ns) / NS_PER_S
    looked_s = max(0.0, (aftermath.looked_until_ns - aftermath.proved_clear_ns) / NS_PER_S)
    windows = count(GOOD_IN_A_ROW, "good window")
    if reading.ended_ns < reading.plan.end_ns and at_least_s <= limit_s:
        text = (
            f"the run was cut short {seconds(reading.ended_ns / NS_PER_S)} after its start, which left {seconds(looked_s)} to "
            f"look for a recovery from phase {objective.after} (limit {seconds(limit_s)}): nothing was seen that decides"
        )
        return Status.INCONCLUSIVE, text, None, at_least_s
    if at_least_s > limit_s:
        text = (
            f"the service did not meet its steady objectives again within the {seconds(looked_s)} after the fault of phase "
            f"{objective.after} was proved clear (limit {seconds(limit_s)}): never {windows} in a row"
        )
        return Status.FAIL, text, None, at_least_s
    text = (
        f"no {windows} in a row were seen in the {seconds(looked_s)} after the fault of phase {objective.after} was proved "
        f"clear, and a recovery within {seconds(limit_s)} can not be ruled out: make the recovery phase longer or raise the rate"
    )
    return Status.INCONCLUSIVE, text, None, at_least_s
