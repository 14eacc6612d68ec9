"""What the drain check does: one instance is told to end in the middle of the load, is watched, and started again.

With `books`, a user with a budget asks that instance three things just before, and reads the account once it has ended: what
was booked in its memory only is then still held.
"""

from functools import partial

from harness.checks.planned import AT, MS, S, chat, start_of
from harness.checks.settings import complete
from harness.checks.too_dear import MODEL, too_dear
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import Action, Probe
from harness.model.units import parse_duration_ns

WATCHED_NS = 4 * S
SPENDING = 3
MAX_TOKENS = 50
CAP_USD = 0.005
"""Enough for the three questions, and never for one that is too dear."""


class DrainPlanner:
    """The planning half of the check."""

    name: str = "drain"
    title: str = "An instance that is told to end says so, finishes what it has begun, and loses no request"
    settings: tuple[Parameter, ...] = (
        AT,
        Parameter(name="instance", type=str, doc="which instance", default="b"),
        Parameter(name="within", type=str, doc="how long it may take to end: a duration", default="8s"),
        Parameter(name="books", type=bool, doc="whether a user's account is read once it has ended", default=False),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the two actions and what watches them. Raises ValueError on a setting out of range, or a phase too short."""
        values = complete(self.settings, check.settings)
        t = start_of(values, phase, lasts_ns=8 * S)
        books = bool(values["books"])
        if books and parse_duration_ns(values["at"]) < 2 * S:
            raise ValueError(f"`at` is {values['at']}; what is asked before the instance ends needs 2s")
        instance = str(values["instance"])
        act = partial(Action, check_id=check.id, arguments={"instance": instance})
        watch = partial(
            Probe, check_id=check.id, method="GET", path="@ready", instance=instance, chat=False, timeout_ns=S, keep_bytes=300
        )
        spender = f"spender-{check.id}"
        spend = partial(Probe, check_id=check.id, principal=spender, lane=f"{check.id}-spender")
        selling = [
            spend(
                name=f"spent-{n}",
                at_ns=t - 2 * S + n * 100 * MS,
                body=chat(f"Explain rule {n} of house {check.id}.", model=MODEL, max_tokens=MAX_TOKENS),
                instance=instance,
                lane=f"{check.id}-spender-{n}",
            )
            for n in range(SPENDING)
        ]
        selling.append(
            spend(name="account", at_ns=t + S, body=too_dear(0), count=2, every_ns=500 * MS, after="end", after_ns=500 * MS)
        )
        return CheckSteps(
            probes=(
                *(selling if books else ()),
                watch(name="before", at_ns=t - 200 * MS, lane=f"{check.id}-ready"),
                watch(name="ready", at_ns=t, count=WATCHED_NS // (100 * MS), every_ns=100 * MS, lane=f"{check.id}-ready"),
                watch(name="back", at_ns=t + 5 * S, after="start", after_ns=S),
            ),
            actions=(act(name="end", at_ns=t, does="drain-instance"), act(name="start", at_ns=t + 4 * S, does="start-instance")),
            capped_principals={spender: CAP_USD} if books else {},
            needs=frozenset({"ready"}),
        )


PLANNER = DrainPlanner()
