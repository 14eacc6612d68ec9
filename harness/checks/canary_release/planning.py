"""What the canary release check does: it has another version rolled out by the operators' own program, under the load.

With `defect` the other version is a bad one, by the name of a planted defect; which it is, the program is not told. How
much each step must have seen is for the plan to afford: 5 % of 40 requests a second are two.
"""

from harness.checks.planned import AT, S, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import Action
from harness.model.units import parse_duration_ns

ROLL_OUT = "roll-out"
STEPS = 4


class CanaryReleasePlanner:
    """The planning half of the check."""

    name: str = "canary release"
    title: str = "A good version is rolled out without a lost request, a bad one is taken back at once"
    settings: tuple[Parameter, ...] = (
        AT,
        Parameter(name="version", type=str, doc="what the other version calls itself", default="next"),
        Parameter(name="defect", type=str, doc="what is wrong with it, a planted defect; empty for a good one", default=""),
        Parameter(name="watch", type=str, doc="how long each step is watched at least: a duration", default="2s"),
        Parameter(name="least", type=int, doc="answers of it that each step needs", low=1, high=100_000, default=10),
        Parameter(name="patience", type=str, doc="how long these are waited for beyond that: a duration", default="15s"),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the one action. Raises ValueError on a setting out of range, or a phase too short."""
        values = complete(self.settings, check.settings)
        watch_ns, patience_ns = parse_duration_ns(values["watch"]), parse_duration_ns(values["patience"])
        if watch_ns <= 0:
            raise ValueError(f"`watch` is {values['watch']}; a step that nobody watches shows nothing")
        steps = 1 if values["defect"] else STEPS
        t = start_of(values, phase, lasts_ns=4 * S + steps * watch_ns)
        arguments = {
            "version": str(values["version"]),
            "defect": str(values["defect"]),
            "watch_s": f"{watch_ns / S:g}",
            "least": str(values["least"]),
            "patience_s": f"{patience_ns / S:g}",
        }
        return CheckSteps(
            actions=(Action(check_id=check.id, name=ROLL_OUT, at_ns=t, does=ROLL_OUT, arguments=arguments),),
        )


PLANNER = CanaryReleasePlanner()
