"""Did each instance's circuit go where it must, as its own header tells with each answer?"""

from harness.checks.breaker.planning import PLANNER
from harness.checks.evidence import begins_ns_of, evidence_of, judgement, records_of
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status, Test
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord
from harness.model.units import parse_duration_ns

HEADER = "x-gateway-circuit"
LEAST = 2


def judge_breaker(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether the circuits opened, or closed, in time. Raises RunDirectoryError."""
    values = complete(PLANNER.settings, check.settings)
    settled_ns = begins_ns_of(reading, check.phase) + parse_duration_ns(values["settles"])
    opens = values["circuit"] == "opens"
    states: dict[str | None, list[tuple[ProbeRecord, str]]] = {}
    for mine in records_of(reading, check).values():
        for record in mine:
            if record.status_code is not None and (state := record.headers.get(HEADER)) is not None:
                states.setdefault(record.instance, []).append((record, state))
    late = {name: [each for each in seen if each[0].at_ns >= settled_ns] for name, seen in states.items()}
    n = sum(map(len, states.values()))
    wrong: list[tuple[str, ProbeRecord]] = []
    for name, seen in states.items():
        if opens and seen and not any(state in ("open", "half-open") for _, state in seen) and late[name]:
            wrong.append(
                (f"instance {name} never opened its circuit in phase {check.phase}: it said {seen[-1][1]!r}", seen[-1][0])
            )
        if not opens and late[name] and late[name][-1][1] != "closed":
            wrong.append(
                (f"instance {name} says {late[name][-1][1]!r} at the end of phase {check.phase}, not closed", late[name][-1][0])
            )
    test = Test(quantity="circuits_wrong", op="<=", limit=0.0, value=float(len(wrong)), n=n, bad=len(wrong))
    if wrong:
        return judgement(check, Status.FAIL, wrong[0][0], test=test, evidence=(evidence_of(wrong[0][1]),))
    if not states or min(len(seen) for seen in late.values()) < LEAST:
        return judgement(
            check, Status.INCONCLUSIVE, "too few answers tell of the circuit, so it was not put to the test", test=test
        )
    reason = _told(opens, len(states), n)
    return judgement(check, Status.PASS, reason, test=test)


def _told(opens: bool, instances: int, n: int) -> str:
    return f"the circuits of {instances} instances {'opened' if opens else 'closed again'} in time, by {n} answers"
