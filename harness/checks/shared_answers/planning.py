"""What the shared answers check sends: one question by one user, again by the same, then by another, word for word.

Nothing of the target's own words is needed: whether a question was answered from a cache is told by the provider, which was
called for it or was not. The question carries a tag of its own, by which its calls are found where no id is passed on.
"""

from functools import partial

from harness.checks.planned import AT, S, chat, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import MadePrincipal, Probe

QUESTIONS = 3
FIRST, AGAIN, OTHER = "first", "again", "other"
"""Who asks in turn: a user, the same user, another one."""
LASTS_NS = 9 * S
_STEPS = ((FIRST, 0), (AGAIN, 3 * S), (OTHER, 6 * S))


class SharedAnswersPlanner:
    """The planning half of the check."""

    name: str = "shared answers"
    title: str = "What one user asked is not answered from a cache to another, whatever the target says of its cache"
    settings: tuple[Parameter, ...] = (AT,)

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the probes. Raises ValueError on a setting out of range, or a phase too short."""
        t = start_of(complete(self.settings, check.settings), phase, lasts_ns=LASTS_NS)
        asker, other = f"asker-{check.id}", f"other-{check.id}"
        ask = partial(Probe, check_id=check.id, keep_bytes=300)
        probes = tuple(
            ask(
                name=f"{step}-{n}",
                at_ns=t + offset_ns,
                principal=other if step == OTHER else asker,
                body=chat(f"[hs:{tag_of(check, n)}] Explain clause {n} of the contract {check.id} in full.", temperature=0),
                lane=f"{check.id}-{n}",
            )
            for n in range(QUESTIONS)
            for step, offset_ns in _STEPS
        )
        users = (MadePrincipal(name=asker), MadePrincipal(name=other))
        return CheckSteps(probes=probes, principals=users, needs=frozenset({"principals.distinct"}))


def tag_of(check: PlannedCheck, number: int) -> str:
    """Return what tells a question's calls at the provider."""
    return f"{check.id}-{number}"


PLANNER = SharedAnswersPlanner()
