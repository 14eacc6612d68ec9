"""What the answer privacy check sends: ordinary questions, streamed and not, while a model gives away what it must not.

The phase has a `leak_pii` fault at the provider, whose texts are made up and known here; none of the questions holds one.
"""

from functools import partial

from harness.checks.planned import MS, S, chat
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import MadePrincipal, Probe

PLANTED = (
    "jane.roe@example.com",
    "+1 202-555-0143",
    "078-05-1120",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "sk-test-51H8xExampleExampleExample0000",
)
"""What the provider's `leak_pii` plants, as its own documentation lists it."""
EACH_USER = 6


class AnswerPrivacyPlanner:
    """The planning half of the check."""

    name: str = "answer privacy"
    title: str = "What a model gives away of others does not reach the user, streamed or not"
    settings: tuple[Parameter, ...] = (
        Parameter(name="questions", type=int, doc="how many are asked", low=2, high=200, default=16),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the probes, spread over the phase. Raises ValueError on a setting out of range, or a phase too short."""
        questions = int(complete(self.settings, check.settings)["questions"])
        length_ns = phase.end_ns - phase.start_ns - 2 * S
        if length_ns < S:
            raise ValueError(f"phase {phase.name!r} is too short: it must last 3s at least")
        names = [f"curious-{check.id}-{n}" for n in range(-(-questions // EACH_USER))]
        return CheckSteps(
            probes=tuple(
                partial(Probe, check_id=check.id)(
                    name=f"{'streamed' if n % 2 else 'whole'}-{n}",
                    at_ns=phase.start_ns + S + n * max(length_ns // questions, MS),
                    principal=names[n // EACH_USER],
                    body=chat(f"Explain clause {n} of the contract in full sentences.", stream=n % 2 == 1),
                    streamed=n % 2 == 1,
                    lane=f"{check.id}-{n % 4}",
                    keep_bytes=64_000,
                )
                for n in range(questions)
            ),
            principals=tuple(MadePrincipal(name=name) for name in names),
        )


PLANNER = AnswerPrivacyPlanner()
