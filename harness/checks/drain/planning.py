"""What the drain check does: one instance is told to end in the middle of the load, is watched, and started again."""

from functools import partial

from harness.checks.planned import AT, MS, S, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import Action, Probe

WATCHED_NS = 4 * S


class DrainPlanner:
    """The planning half of the check."""

    name: str = "drain"
    title: str = "An instance that is told to end says so, finishes what it has begun, and loses no request"
    settings: tuple[Parameter, ...] = (
        AT,
        Parameter(name="instance", type=str, doc="which instance", default="b"),
        Parameter(name="within", type=str, doc="how long it may take to end: a duration", default="8s"),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the two actions and what watches them. Raises ValueError on a setting out of range, or a phase too short."""
        values = complete(self.settings, check.settings)
        t = start_of(values, phase, lasts_ns=8 * S)
        instance = str(values["instance"])
        act = partial(Action, check_id=check.id, arguments={"instance": instance})
        watch = partial(
            Probe, check_id=check.id, method="GET", path="@ready", instance=instance, chat=False, timeout_ns=S, keep_bytes=300
        )
        return CheckSteps(
            probes=(
                watch(name="before", at_ns=t - 200 * MS, lane=f"{check.id}-ready"),
                watch(name="ready", at_ns=t, count=WATCHED_NS // (100 * MS), every_ns=100 * MS, lane=f"{check.id}-ready"),
                watch(name="back", at_ns=t + 5 * S, after="start", after_ns=S),
            ),
            actions=(act(name="end", at_ns=t, does="drain-instance"), act(name="start", at_ns=t + 4 * S, does="start-instance")),
            needs=frozenset({"ready"}),
        )


PLANNER = DrainPlanner()
