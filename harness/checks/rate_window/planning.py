"""What the rate window check sends: one user's requests until they are refused, a few more meanwhile, and one after the window.

A window that begins anew with each request, refused or not, never lets a user in again whose program keeps asking.
"""

from functools import partial

from harness.checks.planned import AT, MS, S, chat, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import MadePrincipal, Probe

MEANWHILE = 4
AFTERWARDS_NS = 1500 * MS
"""From the end of a window until a request must be let through."""


class RateWindowPlanner:
    """The planning half of the check."""

    name: str = "rate window"
    title: str = "A window of the rate limit ends for a user who goes on asking, as it was said to"
    settings: tuple[Parameter, ...] = (
        AT,
        Parameter(name="limit", type=int, doc="requests that one window allows a user", low=1, high=100, default=10),
        Parameter(name="window_s", type=int, doc="how long a window is", low=4, high=3600, default=60),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the probes. Raises ValueError on a setting out of range, or a phase too short."""
        values = complete(self.settings, check.settings)
        limit, window_ns = int(values["limit"]), int(values["window_s"]) * S
        last_ns = limit * 100 * MS
        t = start_of(values, phase, lasts_ns=last_ns + window_ns + AFTERWARDS_NS + S)
        principal = f"patient-{check.id}"
        probe = partial(Probe, check_id=check.id, principal=principal, body=chat("Hello!"))
        meanwhile_ns = (window_ns - S) // MEANWHILE
        probes = [probe(name=f"within-{n}", at_ns=t + n * 100 * MS) for n in range(limit)]
        probes += [probe(name=f"meanwhile-{n}", at_ns=t + last_ns + n * meanwhile_ns) for n in range(MEANWHILE)]
        # The window runs from when the first request was answered, which may be later than it was due.
        probes.append(probe(name="afterwards", at_ns=t + last_ns + window_ns + AFTERWARDS_NS))
        return CheckSteps(probes=tuple(probes), principals=(MadePrincipal(name=principal),), needs_rate_limit=True)


PLANNER = RateWindowPlanner()
