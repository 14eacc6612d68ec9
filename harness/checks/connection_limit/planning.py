"""What the connection limit check does: many requests at one moment, and the database's own count of its connections after it.

Connections that were made stay open for a while, so that they can be counted when the rush is over. Several users, because
a user may send ten requests a minute; a question that a model answers, because a greeting needs no database.
"""

from harness.checks.planned import AT, MS, S, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Burst, Phase, PlannedCheck, UserClass
from harness.model.probe import Action

COUNT = "count"
EACH = 10
BUDGET_USD = 10.0


class ConnectionLimitPlanner:
    """The planning half of the check."""

    name: str = "connection limit"
    title: str = "No instance holds more connections to its database than it may, by the database's own count"
    settings: tuple[Parameter, ...] = (
        AT,
        Parameter(name="burst", type=int, doc="requests sent at one moment", low=10, high=10_000, default=100),
        Parameter(name="at_most", type=int, doc="connections of one instance", low=1, high=10_000, default=20),
        Parameter(
            name="prompt",
            type=str,
            doc="what is asked; `{n}` becomes the request's number",
            default="Describe step {n} of a delivery abroad.",
        ),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the bursts and the count. Raises ValueError on a setting out of range, or a phase too short."""
        values = complete(self.settings, check.settings)
        burst, at_most = int(values["burst"]), int(values["at_most"])
        if burst < 2 * at_most:
            raise ValueError(f"`burst` ({burst}) must be at least twice `at_most` ({at_most}), or nobody would need more")
        t = start_of(values, phase, lasts_ns=6 * S)
        user_class = UserClass(name=f"check:{check.id}", weight_ratio=0.0, prompts=(str(values["prompt"]),))
        users = [f"hasty-{check.id}-{n}" for n in range(-(-burst // EACH))]
        bursts = tuple(
            Burst(check_id=check.id, at_ns=t, count=min(EACH, burst - n * EACH), user_class=user_class, principal=user)
            for n, user in enumerate(users)
        )
        counts = tuple(
            Action(check_id=check.id, name=f"{COUNT}-{n}", at_ns=t + (n + 1) * 1500 * MS, does="count-connections")
            for n in range(3)
        )
        return CheckSteps(bursts=bursts, actions=counts, capped_principals=dict.fromkeys(users, BUDGET_USD))


PLANNER = ConnectionLimitPlanner()
