"""What the fails closed check sends: a greeting of each of a few users, to every instance, past the balancer.

A balancer sends nobody to an instance that says it is not ready, so what passes through it tells of readiness only.
"""

from functools import partial

from harness.checks.planned import AT, MS, S, chat, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import EVERY_INSTANCE, MadePrincipal, Probe

USERS = 4


class FailsClosedPlanner:
    """The planning half of the check."""

    name: str = "fails closed"
    title: str = "Where a limit cannot be counted nobody is let through, at any instance, and all are told when to come back"
    settings: tuple[Parameter, ...] = (AT,)

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the probes. Raises ValueError on a setting out of range, or a phase too short."""
        t = start_of(complete(self.settings, check.settings), phase, lasts_ns=USERS * 800 * MS + 2 * S)
        names = [f"uncounted-{check.id}-{n}" for n in range(USERS)]
        probe = partial(Probe, check_id=check.id, body=chat("Hello!"), instance=EVERY_INSTANCE)
        return CheckSteps(
            probes=tuple(
                probe(name=f"asked-{n}", at_ns=t + n * 800 * MS, principal=name, lane=f"{check.id}-{n}")
                for n, name in enumerate(names)
            ),
            principals=tuple(MadePrincipal(name=name) for name in names),
        )


PLANNER = FailsClosedPlanner()
