"""Did anything unguarded get through, in any phase? An invariant: one canary fails, also in an invalid run."""

from collections import Counter
from dataclasses import replace

import numpy as np

from harness.checks.evidence import MOST_EVIDENCE, calls_of, evidence_of, judgement, records_of
from harness.checks.expectations import is_good
from harness.checks.guard_bypass.planning import class_name
from harness.measure.reading import Reading
from harness.model.judgement import Evidence, Judgement, Status, Test
from harness.model.objective import Kind
from harness.model.plan import PlannedCheck


def judge_guard_bypass(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether every canary was kept out, over all phases. Raises RunDirectoryError."""
    return replace(_judged(reading, check), phase=None)


def _judged(reading: Reading, check: PlannedCheck) -> Judgement:
    requests = reading.requests
    attacks = requests.user_class.is_in([class_name(check)]) & ~np.isnan(requests.started_ns)
    through = attacks & (requests.answered | (reading.calls_per_request > 0))
    asked = [r for mine in records_of(reading, check).values() for r in mine if r.started_ns is not None]
    reached = calls_of(reading, [record.request_id for record in asked])
    let_in = [record for record in asked if is_good(record) or record.request_id in reached]
    bad = int(np.count_nonzero(through)) + len(let_in)
    n = int(np.count_nonzero(attacks)) + len(asked)
    evidence = tuple(Evidence(kind="request", ref=str(seq)) for seq in requests.seq[through][:MOST_EVIDENCE])
    evidence += tuple(evidence_of(record) for record in let_in[: MOST_EVIDENCE - len(evidence)])
    test = Test(quantity="canaries_let_through", op="<=", limit=0.0, value=float(bad), n=n, bad=bad)
    moments = [*requests.intended_ns[through].tolist(), *(record.at_ns for record in let_in)]
    phases = Counter(_phase_of(reading, moment) for moment in moments)
    if bad:
        where = ", ".join(f"{count} in {name}" for name, count in phases.items())
        what = f"{int(np.count_nonzero(through))} attacks and {len(let_in)} questions without a key"
        return judgement(
            check, Status.FAIL, f"{what} got past the guards ({where})", test=test, evidence=evidence, kind=Kind.INVARIANT
        )
    if reading.calls is None and reading.plan.target.kind != "external":
        reason = "the provider's records are missing, so nothing says which canaries were sent on to it"
        return judgement(check, Status.INCONCLUSIVE, reason, test=test, kind=Kind.INVARIANT)
    if not np.any(attacks) or not asked:
        return judgement(check, Status.INCONCLUSIVE, "no canary was sent, so no guard was asked", test=test, kind=Kind.INVARIANT)
    seen = {_phase_of(reading, moment) for moment in [*requests.intended_ns[attacks].tolist(), *(r.at_ns for r in asked)]}
    # A phase shorter than the time between two canaries has none: the plan says so, and no run can say more.
    planned = {_phase_of(reading, burst.at_ns) for burst in reading.plan.load.bursts if burst.check_id == check.id}
    missed = [phase.name for phase in reading.plan.phases if phase.name in planned - seen]
    told = f"{n} canaries over {len(seen)} phases were kept out: none was answered, and none reached the provider"
    if missed:
        reason = f"{told}; but none was sent in phase {', '.join(missed)}"
        return judgement(check, Status.INCONCLUSIVE, reason, test=test, kind=Kind.INVARIANT)
    return judgement(check, Status.PASS, told, test=test, kind=Kind.INVARIANT)


def _phase_of(reading: Reading, moment_ns: int) -> str:
    return next((p.name for p in reading.plan.phases if p.start_ns <= moment_ns < p.end_ns), "the drain")
