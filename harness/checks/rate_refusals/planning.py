"""What the rate refusals check sends: twelve greetings of one user, to each instance in turn.

One after the other, so that it is exactly known which must be let through: the first ten. The rest must say when.
"""

from functools import partial

from harness.checks.planned import AT, MS, S, chat, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import MadePrincipal, Probe

TOO_MANY = 2


class RateRefusalsPlanner:
    """The planning half of the check."""

    name: str = "rate refusals"
    title: str = "The request after the last is refused on any instance, and told a true time to wait"
    settings: tuple[Parameter, ...] = (
        AT,
        Parameter(name="limit", type=int, doc="requests that one window allows a user", low=1, high=100, default=10),
        Parameter(name="window_s", type=int, doc="how long a window is", low=1, high=3600, default=60),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the probes. Raises ValueError on a setting out of range, or a phase too short."""
        values = complete(self.settings, check.settings)
        limit = int(values["limit"])
        t = start_of(values, phase, lasts_ns=limit * 100 * MS + 2 * S)
        principal = f"steady-{check.id}"
        probe = partial(Probe, check_id=check.id, principal=principal, body=chat("Hello!"))
        return CheckSteps(
            probes=tuple(
                probe(name=f"within-{n}" if n < limit else f"beyond-{n - limit}", at_ns=t + n * 100 * MS)
                for n in range(limit + TOO_MANY)
            ),
            principals=(MadePrincipal(name=principal),),
            needs_rate_limit=True,
        )


PLANNER = RateRefusalsPlanner()
