"""What the rate limit check sends: one user's requests, three times as many as a window allows, all at one moment.

A limit that is looked at before it is counted lets concurrent requests through together; one that each instance counts
for itself lets as many through as there are instances. Sent through the balancer, both show as one figure too many.
The prompt is a greeting, which the reference service answers by rule: it costs no money and no model's time, so that
nothing but the limit can refuse. The user is made for the check, with a budget that it cannot use up.
"""

from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Burst, Phase, PlannedCheck, UserClass
from harness.model.units import format_duration, parse_duration_ns

BUDGET_USD = 10.0


class RateLimitPlanner:
    """The planning half of the check."""

    name: str = "rate limit"
    title: str = "A user gets exactly as many requests as the limit allows, whichever instance answers"
    settings: tuple[Parameter, ...] = (
        Parameter(name="limit", type=int, doc="requests that one window allows a user", low=1, high=10_000, default=10),
        Parameter(name="burst", type=int, doc="requests sent at one moment", low=2, high=10_000, default=30),
        Parameter(name="at", type=str, doc="when, from the start of the phase: a duration", default="1s"),
        Parameter(name="prompt", type=str, doc="what is asked; `{n}` becomes the request's number", default="Hello!"),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the burst and its user. Raises ValueError on a setting out of range, or a burst within the limit."""
        values = complete(self.settings, check.settings)
        limit, burst = int(values["limit"]), int(values["burst"])
        if burst < 2 * limit:
            raise ValueError(f"`burst` ({burst}) must be at least twice the `limit` ({limit}): two instances may each allow it")
        offset_ns = parse_duration_ns(values["at"])
        if offset_ns >= phase.end_ns - phase.start_ns:
            length = format_duration(phase.end_ns - phase.start_ns)
            raise ValueError(f"`at` is {values['at']}, but phase {phase.name!r} lasts {length} only")
        principal = f"hasty-{check.id}"
        user_class = UserClass(name=class_name(check), weight_ratio=0.0, prompts=(str(values["prompt"]),))
        return CheckSteps(
            bursts=(
                Burst(
                    check_id=check.id, at_ns=phase.start_ns + offset_ns, count=burst, user_class=user_class, principal=principal
                ),
            ),
            capped_principals={principal: BUDGET_USD},
            needs_rate_limit=True,
        )


PLANNER = RateLimitPlanner()


def class_name(check: PlannedCheck) -> str:
    """Return the user class of the check's requests; no mix has one of that name, so they are counted apart."""
    return f"check:{check.id}"
