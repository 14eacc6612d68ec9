"""What the kept keys check asks: nothing is sent; what is kept of the run is looked through when it has ended."""

from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck


class KeptKeysPlanner:
    """The planning half of the check."""

    name: str = "kept keys"
    title: str = "No key of a known form stands in anything that is kept of the run, and so in no report of it"
    settings: tuple[Parameter, ...] = ()

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:  # noqa: ARG002 - the same in every phase
        """Return no steps. Raises ValueError on a setting, of which there is none."""
        complete(self.settings, check.settings)
        return CheckSteps()


PLANNER = KeptKeysPlanner()
