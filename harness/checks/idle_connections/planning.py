"""What the idle connections check does: after a rush that opened many, the database is asked for how long each lies idle.

The rush is another check's (`connection limit`), or the load's own; the database's count shows whether there was one.
"""

from harness.checks.planned import AT, S, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import Action
from harness.model.units import parse_duration_ns

COUNT = "count"
COUNTS = 6


class IdleConnectionsPlanner:
    """The planning half of the check."""

    name: str = "idle connections"
    title: str = "A connection that nobody uses is ended in time, by the database's own records"
    settings: tuple[Parameter, ...] = (
        AT,
        Parameter(name="idle", type=str, doc="how long a connection may lie idle: a duration", default="30s"),
        Parameter(name="slack", type=str, doc="how much longer it may be seen: a duration", default="4s"),
        Parameter(
            name="least", type=int, doc="connections of one instance that must have been open", low=2, high=10_000, default=8
        ),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the counts: the last when all that lay idle from the first on must be gone.

        Raises ValueError on a setting out of range, or a phase too short.
        """
        values = complete(self.settings, check.settings)
        idle_ns, slack_ns = parse_duration_ns(values["idle"]), parse_duration_ns(values["slack"])
        if idle_ns <= 0 or slack_ns <= 0:
            raise ValueError("`idle` and `slack` must be more than nought")
        lasts_ns = idle_ns + 2 * slack_ns
        t = start_of(values, phase, lasts_ns=lasts_ns + S)
        counts = tuple(
            Action(check_id=check.id, name=f"{COUNT}-{n}", at_ns=t + n * lasts_ns // (COUNTS - 1), does="count-connections")
            for n in range(COUNTS)
        )
        return CheckSteps(actions=counts)


PLANNER = IdleConnectionsPlanner()
