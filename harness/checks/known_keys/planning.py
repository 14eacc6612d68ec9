"""What the known keys check sends: a question of each of a few users whom no instance has met before, to every instance.

A user who was met a moment ago may be known from memory; one who was not must be looked up where the fault is.
"""

from functools import partial

from harness.checks.planned import AT, MS, S, chat, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import EVERY_INSTANCE, MadePrincipal, Probe

USERS = 8


class KnownKeysPlanner:
    """The planning half of the check."""

    name: str = "known keys"
    title: str = "Whoever has a good key is never told that it is wrong, whatever else is broken"
    settings: tuple[Parameter, ...] = (AT,)

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the probes. Raises ValueError on a setting out of range, or a phase too short."""
        t = start_of(complete(self.settings, check.settings), phase, lasts_ns=USERS * 400 * MS + 2 * S)
        names = [f"known-{check.id}-{n}" for n in range(USERS)]
        probe = partial(Probe, check_id=check.id, body=chat("Hello!"), instance=EVERY_INSTANCE)
        return CheckSteps(
            probes=tuple(
                probe(name=f"asked-{n}", at_ns=t + n * 400 * MS, principal=name, lane=f"{check.id}-{n}")
                for n, name in enumerate(names)
            ),
            principals=tuple(MadePrincipal(name=name) for name in names),
        )


PLANNER = KnownKeysPlanner()
