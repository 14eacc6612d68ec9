"""What the feature flags check does: a feature is given to half of the users, who each ask both instances twice, and is killed.

Which feature a request had is what the service says with its answer. Of sixteen users at a half, fewer than two or more than
fourteen have it once in two thousand draws; and the same users are drawn in every run, so that it is never chance twice.
"""

from functools import partial

from harness.checks.planned import AT, MS, S, chat, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import EVERY_INSTANCE, Action, MadePrincipal, Probe

USERS = 16
BOUNDS = (2, 14)
SHARE = "0.5"
LANES = 8


class FeatureFlagsPlanner:
    """The planning half of the check."""

    name: str = "feature flags"
    title: str = "A feature is on for its share of the users, always the same ones, and off for all once it is killed"
    settings: tuple[Parameter, ...] = (
        AT,
        Parameter(name="feature", type=str, doc="the name of the flag", default="enhanced-rag"),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the probes and both changes. Raises ValueError on a setting out of range, or a phase too short."""
        values = complete(self.settings, check.settings)
        t = start_of(values, phase, lasts_ns=6 * S)
        act = partial(Action, check_id=check.id, lane=f"{check.id}-change")
        names = [f"flagged-{check.id}-{n}" for n in range(USERS)]
        probes: list[Probe] = []
        for n, name in enumerate(names):
            ask = partial(
                Probe,
                check_id=check.id,
                principal=name,
                body=chat("Hello!"),
                instance=EVERY_INSTANCE,
                lane=f"{check.id}-{n % LANES}",
                keep_bytes=100,
            )
            probes += [
                ask(name=f"on-{n}", at_ns=t + S, count=2, every_ns=500 * MS, after="give", after_ns=300 * MS),
                ask(name=f"off-{n}", at_ns=t + 4 * S, after="kill", after_ns=300 * MS),
            ]
        feature = {"feature": str(values["feature"])}
        return CheckSteps(
            probes=tuple(sorted(probes, key=lambda probe: probe.at_ns)),
            actions=(
                act(name="give", at_ns=t, does="set-feature", arguments={**feature, "share": SHARE}),
                act(name="kill", at_ns=t + 3500 * MS, does="kill-feature", arguments=feature),
            ),
            principals=tuple(MadePrincipal(name=name) for name in names),
        )


PLANNER = FeatureFlagsPlanner()
