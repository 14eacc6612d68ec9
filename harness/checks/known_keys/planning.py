"""What the known keys check sends: a question of each of a few users whom no instance has met before, to every instance.

A user who was met a moment ago may be known from memory; one who was not must be looked up where the fault is.
"""

from harness.checks.planned import AT, MS, greetings_of_strangers
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck

USERS = 8


class KnownKeysPlanner:
    """The planning half of the check."""

    name: str = "known keys"
    title: str = "Whoever has a good key is never told that it is wrong, whatever else is broken"
    settings: tuple[Parameter, ...] = (AT,)

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the probes. Raises ValueError on a setting out of range, or a phase too short."""
        values = complete(self.settings, check.settings)
        return greetings_of_strangers(check, phase, values, who="known", users=USERS, every_ns=400 * MS)


PLANNER = KnownKeysPlanner()
