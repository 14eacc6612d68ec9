"""Did each instance's circuit go where it must, as its own header tells with each answer?"""

import itertools
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from harness.checks.breaker.planning import PLANNER
from harness.checks.evidence import begins_ns_of, evidence_of, judgement, records_of
from harness.checks.settings import complete
from harness.measure.columns import batches
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status, Test
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord
from harness.model.units import parse_duration_ns

HEADER = "x-gateway-circuit"
LEAST = 2
LEAST_BETWEEN = 8
"""Of fewer answers after it has opened none may fall into a try."""


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
    bare: list[str] = []
    if values["half_open"]:
        found, bare = _between(states, settled_ns)
        wrong += found
    crowd = most_at_once(reading, check.phase, settled_ns) if values["probes"] else None
    if crowd is not None and crowd > int(values["probes"]) * len(states):
        said = f"{crowd} calls were under way at the primary model at once with the circuits open in phase {check.phase}"
        test = Test(quantity="calls_at_once", op="<=", limit=float(values["probes"]) * len(states), value=float(crowd))
        return judgement(check, Status.FAIL, f"{said}; {values['probes']} of each instance may try whether it is back", test=test)
    test = Test(quantity="circuits_wrong", op="<=", limit=0.0, value=float(len(wrong)), n=n, bad=len(wrong))
    if wrong:
        return judgement(check, Status.FAIL, wrong[0][0], test=test, evidence=(evidence_of(wrong[0][1]),))
    if not states or min(len(seen) for seen in late.values()) < LEAST:
        return judgement(
            check, Status.INCONCLUSIVE, "too few answers tell of the circuit, so it was not put to the test", test=test
        )
    if values["probes"] and not crowd:
        why = "nobody tried whether the primary model is back" if crowd == 0 else "the provider's records are missing"
        return judgement(check, Status.INCONCLUSIVE, f"{why}, so the circuits' probing was not put to the test", test=test)
    if bare:
        why = f"too few answers of instance {bare[0]} came after its circuit had opened to see it half-open"
        return judgement(check, Status.INCONCLUSIVE, why, test=test)
    reason = _told(opens, len(states), n) + (f"; at most {crowd} at once tried whether the model is back" if crowd else "")
    reason += "; each called its own half-open in between" if values["half_open"] else ""
    return judgement(check, Status.PASS, reason, test=test)


def _between(
    states: Mapping[str | None, Sequence[tuple[ProbeRecord, str]]], settled_ns: int
) -> tuple[list[tuple[str, ProbeRecord]], list[str]]:
    """Return what is wrong with circuits that have opened, and the instances of which too little is known."""
    wrong: list[tuple[str, ProbeRecord]] = []
    bare: list[str] = []
    for name, seen in states.items():
        after = list(itertools.dropwhile(lambda each: each[1] != "open", seen))
        closed = [record for record, state in after if state == "closed" and record.at_ns >= settled_ns]
        if closed:
            wrong.append((f"instance {name} says 'closed' of a circuit that is still needed, {len(closed)} times", closed[0]))
        elif len(after) < LEAST_BETWEEN:
            bare.append(str(name))
        elif all(state != "half-open" for _, state in after):
            said = f"instance {name} opened its circuit and never called it half-open in {len(after)} answers"
            wrong.append((f"{said}: nobody tries whether the model is back", after[-1][0]))
    return wrong, bare


def most_at_once(reading: Reading, phase: str, from_ns: int) -> int | None:
    """Return how many calls that began in a phase after a moment were under way at the primary at once; None: no records."""
    if reading.calls is None:
        return None
    end_ns = reading.plan.phase(phase).end_ns
    moments: list[tuple[int, int]] = []
    for batch in batches(reading.run, "truth/calls.parquet", ["endpoint", "received_ns", "ended_ns"]):
        there = batch.filter(pc.equal(batch.column(0).cast(pa.string()), "primary"))
        for began_ns, ended_ns in zip(there.column(1).to_pylist(), there.column(2).to_pylist(), strict=True):
            if from_ns <= began_ns < end_ns:
                moments += [(began_ns, 1), (end_ns if ended_ns is None else ended_ns, -1)]
    return max(itertools.accumulate(change for _, change in sorted(moments)), default=0)


def _told(opens: bool, instances: int, n: int) -> str:
    return f"the circuits of {instances} instances {'opened' if opens else 'closed again'} in time, by {n} answers"
