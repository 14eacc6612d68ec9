"""What the global limit check does: all users' window is filled until little is left, and several users ask for more than that.

No load of a run comes near a million requests in a minute, so the count itself is brought there, in the store, in a window
that the service has begun: what is asked then is counted by the service as ever. Greetings, each user within their own limit,
all at one moment through the balancer, while the load goes on; later one user more asks each instance past the balancer what
it says of the limit, and when the window is over another one asks each of them again.
"""

from functools import partial

from harness.checks.planned import AT, S, chat, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Burst, Phase, PlannedCheck, UserClass
from harness.model.probe import EVERY_INSTANCE, Action, MadePrincipal, Probe

FILL = "fill"
EACH = 10
"""Requests of one user: as many as the limit of each allows in a window."""
BUDGET_USD = 10.0
REFUSED = 4
"""How often each instance is asked in the full window."""
AGAIN = 2
ASKED_NS = 2 * S
"""From the filling to the rush: a new window must have begun, which a request of the load does."""
REFUSED_NS = 5 * S
BEFORE_ITS_END_NS = 2 * S
AFTERWARDS_NS = 4 * S
"""From the end of a window that began when it was to until a request must be let through: it may begin two seconds later."""
GREETING = "Hello!"


class GlobalLimitPlanner:
    """The planning half of the check."""

    name: str = "global limit"
    title: str = "All users together get as many requests as the limit of a window allows, over all instances, and no more"
    settings: tuple[Parameter, ...] = (
        AT,
        Parameter(
            name="limit",
            type=int,
            doc="requests that one window allows all users together",
            low=100,
            high=1_000_000_000,
            default=1_000_000,
        ),
        Parameter(name="left", type=int, doc="requests that are left of it", low=20, high=1000, default=60),
        Parameter(name="window_s", type=int, doc="how long a window is", low=10, high=3600, default=60),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the filling, the rush and the probes. Raises ValueError on a setting out of range, or a phase too short."""
        values = complete(self.settings, check.settings)
        limit, left, window_ns = int(values["limit"]), int(values["left"]), int(values["window_s"]) * S
        if left >= limit:
            raise ValueError(f"`left` ({left}) must be below `limit` ({limit}), or nothing is to be filled")
        t = start_of(values, phase, lasts_ns=window_ns + AFTERWARDS_NS + 2 * S)
        user_class = UserClass(name=class_name(check), weight_ratio=0.0, prompts=(GREETING,))
        hasty = [f"hasty-{check.id}-{n}" for n in range(-(-left * 3 // (2 * EACH)))]
        late, again = f"late-{check.id}", f"again-{check.id}"
        ask = partial(Probe, check_id=check.id, body=chat(GREETING), instance=EVERY_INSTANCE)
        every_ns = (window_ns - REFUSED_NS - BEFORE_ITS_END_NS) // (REFUSED - 1)
        probes = [ask(name=f"refused-{n}", at_ns=t + REFUSED_NS + n * every_ns, principal=late) for n in range(REFUSED)]
        probes += [ask(name=f"again-{n}", at_ns=t + window_ns + AFTERWARDS_NS + n * S, principal=again) for n in range(AGAIN)]
        return CheckSteps(
            bursts=tuple(
                Burst(check_id=check.id, at_ns=t + ASKED_NS, count=EACH, user_class=user_class, principal=name) for name in hasty
            ),
            probes=tuple(probes),
            actions=(
                Action(
                    check_id=check.id,
                    name=FILL,
                    at_ns=t,
                    does="fill-global-window",
                    arguments={"limit": str(limit), "left": str(left)},
                ),
            ),
            capped_principals=dict.fromkeys(hasty, BUDGET_USD),
            principals=(MadePrincipal(name=late), MadePrincipal(name=again)),
        )


PLANNER = GlobalLimitPlanner()


def class_name(check: PlannedCheck) -> str:
    """Return the user class of the rush; no mix has one of that name, so it is counted apart."""
    return f"check:{check.id}"
