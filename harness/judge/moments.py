"""Times after a fault was confirmed or proved clear: until it showed, until the fallback, until the primary again.

One drill is one observation. What was not seen is censored at the end of what could be looked at: it fails where that
is past the limit, and is inconclusive otherwise.
"""

from dataclasses import dataclass

from harness.judge.rows import row_of
from harness.judge.wording import seconds
from harness.measure.reading import Reading
from harness.measure.recovery import Aftermath
from harness.model.judgement import Evidence, Judgement, Shown, Status, Test
from harness.model.objective import Objective, Quantity
from harness.model.units import NS_PER_S


@dataclass(frozen=True, slots=True)
class _Search:
    """From when, until when, and what was found; `what` ends the sentence `... after the fault was confirmed`."""

    from_ns: int | None
    until_ns: float | None
    found_ns: float | None
    what: str
    since: str


def judge_moment(reading: Reading, objective: Objective) -> list[Judgement]:
    """Return the judgement of one time after a fault."""
    aftermath = next((a for a in reading.aftermaths if a.after == objective.after), None)
    limit_s = objective.limit / NS_PER_S
    search = None if aftermath is None else _search(objective.quantity, aftermath)
    value_s = at_least_s = None
    if search is None:
        status, reason = Status.INCONCLUSIVE, f"phase {objective.after} had no fault"
    elif search.from_ns is None:
        status, reason = Status.INCONCLUSIVE, f"the fault of phase {objective.after} was never {search.since}"
    elif search.found_ns is not None:
        value_s = (search.found_ns - search.from_ns) / NS_PER_S
        status = Status.PASS if value_s <= limit_s else Status.FAIL
        reason = (
            f"{search.what} came {seconds(value_s)} after the fault of phase {objective.after} was {search.since} "
            f"(limit {seconds(limit_s)}), in this one drill"
        )
    else:
        at_least_s = max(0.0, ((search.until_ns or search.from_ns) - search.from_ns) / NS_PER_S)
        status = Status.FAIL if at_least_s > limit_s else Status.INCONCLUSIVE
        reason = (
            f"{search.what} was not seen in the {seconds(at_least_s)} after the fault of phase {objective.after} was "
            f"{search.since} (limit {seconds(limit_s)})"
        )
    name = str(objective.quantity.value).replace(" ", "_") + "_s"
    test = Test(quantity=name, op="<=", limit=limit_s, value=value_s, lower=at_least_s, n=0 if search is None else 1)
    shown = Shown(quantity=f"{objective.quantity.value}, in this drill", unit="s", value=value_s)
    evidence = (Evidence(kind="plot", ref="timeline"),)
    return [row_of(objective, status, reason, phase=objective.after, test=test, shown=shown, evidence=evidence)]


def _search(quantity: Quantity, a: Aftermath) -> _Search:
    if quantity is Quantity.TO_PRIMARY:
        what, since = "the first answer of the primary", "proved clear"
        return _Search(a.proved_clear_ns, a.looked_until_ns, a.first_primary_ns, what, since)
    until = a.looked_until_ns if a.proved_clear_ns is None else min(a.proved_clear_ns, a.looked_until_ns)
    if quantity is Quantity.TO_FALLBACK:
        return _Search(a.confirmed_ns, until, a.first_fallback_ns, "the first answer of a fallback", "confirmed")
    return _Search(a.confirmed_ns, until, a.first_effect_ns, "the first bad or fallen-back answer", "confirmed")
