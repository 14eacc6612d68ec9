"""What the cache expiry check asks: one question three times at one instance, the third time after its answer has become old.

Whether a model was asked is what the provider's records say. An hour is longer than a run: so the target must be told to
keep answers for seconds only, for this check (`--service cache_ttl_s=5`), and says so by a capability.
"""

from functools import partial

from harness.checks.planned import AT, MS, S, chat, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import MadePrincipal, Probe

SHORT = "cache.seconds"
"""The capability of a target whose answers become old within a run."""
SOON_NS = 1500 * MS


class CacheExpiryPlanner:
    """The planning half of the check."""

    name: str = "cache expiry"
    title: str = "A cached answer is given until it is old, and not longer"
    settings: tuple[Parameter, ...] = (
        AT,
        Parameter(name="ttl_s", type=int, doc="how long an answer may be given again", low=4, high=3600, default=5),
        Parameter(name="instance", type=str, doc="which instance is asked", default="a"),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the probes. Raises ValueError on a setting out of range, or a phase too short."""
        values = complete(self.settings, check.settings)
        ttl_ns = int(values["ttl_s"]) * S
        t = start_of(values, phase, lasts_ns=ttl_ns + 5 * S)
        ask = partial(
            Probe,
            check_id=check.id,
            principal=f"curious-{check.id}",
            instance=str(values["instance"]),
            body=chat(f"Explain clause {check.id} of the agreement in full.", temperature=0),
        )
        return CheckSteps(
            probes=(
                ask(name="first", at_ns=t),
                ask(name="soon", at_ns=t + SOON_NS),
                ask(name="old", at_ns=t + ttl_ns + 4 * S),  # from the end of the first answer, which takes its time
            ),
            principals=(MadePrincipal(name=f"curious-{check.id}"),),
            needs=frozenset({SHORT}),
        )


PLANNER = CacheExpiryPlanner()
