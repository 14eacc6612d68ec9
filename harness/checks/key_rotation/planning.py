"""What the key rotation check does: the old key is used, changed, used on for its overlap, and tried once more after it.

What follows the rotation counts from its end, however long that took: the old key is tried soon after it, and a second
and a half after its overlap, because instances hear of it within a second. No more than nine requests in all, so that no
rate limit of a minute speaks instead.
"""

from functools import partial

from harness.checks.planned import AT, MS, S, chat, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import EVERY_INSTANCE, Action, Credential, MadePrincipal, Probe

OVERLAP_S = 14


class KeyRotationPlanner:
    """The planning half of the check."""

    name: str = "key rotation"
    title: str = "A key rotates without a dropped request, and the old one ends after its overlap"
    settings: tuple[Parameter, ...] = (AT,)

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the probes and the rotation. Raises ValueError on a setting out of range, or a phase too short."""
        t = start_of(complete(self.settings, check.settings), phase, lasts_ns=(OVERLAP_S + 4) * S)
        holder = f"holder-{check.id}"
        probe = partial(Probe, check_id=check.id, principal=holder, body=chat("Hello!"))
        rotated = t + 500 * MS
        overlap = partial(probe, at_ns=rotated + S, after="rotate", after_ns=200 * MS)
        ended = partial(probe, at_ns=rotated + (OVERLAP_S + 2) * S, after="rotate", after_ns=OVERLAP_S * S + 1500 * MS)
        return CheckSteps(
            probes=(
                probe(name="before", at_ns=t),
                overlap(name="old-in-overlap", count=2, every_ns=500 * MS),
                overlap(name="new-in-overlap", credential=Credential.NEW, instance=EVERY_INSTANCE),
                ended(name="old-after", instance=EVERY_INSTANCE),
                ended(name="new-after", credential=Credential.NEW, count=2, every_ns=500 * MS),
            ),
            actions=(
                Action(
                    check_id=check.id,
                    name="rotate",
                    at_ns=rotated,
                    does="rotate-key",
                    principal=holder,
                    arguments={"overlap_s": str(OVERLAP_S)},
                ),
            ),
            principals=(MadePrincipal(name=holder),),
        )


PLANNER = KeyRotationPlanner()
