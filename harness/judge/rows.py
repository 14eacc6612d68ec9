"""One row of the verdict from an objective: what every judge fills in alike."""

from harness.model.judgement import Evidence, Judgement, Shown, Status, Test
from harness.model.objective import Objective


def row_of(
    objective: Objective,
    status: Status,
    reason: str,
    *,
    phase: str | None = None,
    test: Test | None = None,
    shown: Shown | None = None,
    evidence: tuple[Evidence, ...] = (),
) -> Judgement:
    """Return the row of an objective, in a phase where it has one."""
    return Judgement(
        id=objective.id,
        kind=objective.kind,
        severity=objective.severity,
        status=status,
        reason=reason,
        covers=objective.covers,
        phase=phase,
        written=objective.written,
        test=test,
        shown=shown,
        evidence=evidence,
        owner=objective.owner,
        waiver=objective.waiver,
    )
