"""What the fails closed check sends: a greeting of each of a few users, to every instance, past the balancer.

A balancer sends nobody to an instance that says it is not ready, so what passes through it tells of readiness only.
"""

from harness.checks.planned import AT, MS, greetings_of_strangers
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck

USERS = 4


class FailsClosedPlanner:
    """The planning half of the check."""

    name: str = "fails closed"
    title: str = "Where a limit cannot be counted nobody is let through, at any instance, and all are told when to come back"
    settings: tuple[Parameter, ...] = (AT,)

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the probes. Raises ValueError on a setting out of range, or a phase too short."""
        values = complete(self.settings, check.settings)
        return greetings_of_strangers(check, phase, values, who="uncounted", users=USERS, every_ns=800 * MS)


PLANNER = FailsClosedPlanner()
