"""For how long did any connection lie idle, and were there fewer in the end?"""

from harness.checks.evidence import action_of, judgement, undone
from harness.checks.idle_connections.planning import COUNT, COUNTS, PLANNER
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status, Test
from harness.model.plan import PlannedCheck
from harness.model.units import parse_duration_ns

_OPEN, _IDLE = "instance_", "idle_s_"


def judge_idle_connections(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether idle connections ended. Raises RunDirectoryError."""
    values = complete(PLANNER.settings, check.settings)
    least, idle_s = int(values["least"]), parse_duration_ns(values["idle"]) / 1e9
    limit_s = idle_s + parse_duration_ns(values["slack"]) / 1e9
    told = [entry.data for entry in (action_of(reading, check, f"{COUNT}-{n}") for n in range(COUNTS)) if entry is not None]
    idle = [
        (float(value), name.removeprefix(_IDLE))
        for data in told
        for name, value in data.items()
        if name.startswith(_IDLE) and isinstance(value, int | float)
    ]
    longest_s, whose = max(idle, default=(0.0, ""))
    test = Test(
        quantity="longest_idle_s",
        op="<=",
        limit=limit_s,
        value=round(longest_s, 3) if idle else None,
        n=len(idle),
        bad=int(longest_s > limit_s),
    )
    if longest_s > limit_s:
        reason = f"idle connections: one of {whose} lay idle for {longest_s:.1f} s and was still open; {idle_s:g} s are allowed"
        return judgement(check, Status.FAIL, reason, test=test)
    if (missing := undone(reading, check, *(f"{COUNT}-{n}" for n in range(COUNTS)))) is not None:
        return judgement(check, Status.INCONCLUSIVE, f"idle connections: {missing}", test=test)
    counts = [{name.removeprefix(_OPEN): number for name, number in each.items() if name.startswith(_OPEN)} for each in told]
    many = {name: number for name, number in sorted(counts[0].items()) if isinstance(number, int) and number >= least}
    if not idle or not many:
        reason = f"idle connections: no instance had {least} connections at the first count, or none lay idle: none had to end"
        return judgement(check, Status.INCONCLUSIVE, reason, test=test)
    # The fewest of the later ones: who opens new ones later on has ended the old ones all the same.
    fewest = {name: min(_number(each.get(name)) for each in counts[1:]) for name in many}
    fell = {name: (number, fewest[name]) for name, number in many.items() if fewest[name] < number}
    if not fell:
        reason = "idle connections: there were never fewer connections than at first, so none had to end"
        return judgement(check, Status.INCONCLUSIVE, reason, test=test)
    listed = ", ".join(f"{name} {count} to {left}" for name, (count, left) in fell.items())
    how = f"their number fell ({listed}), and none lay idle for more than {longest_s:.1f} s"
    reason = f"idle connections: {how}; {idle_s:g} s are allowed"
    return judgement(check, Status.PASS, reason, test=test)


def _number(count: object) -> int:
    return count if isinstance(count, int) else 0
