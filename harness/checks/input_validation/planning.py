"""What the input validation check sends: every case of the corpus, each by a user who stays below any rate limit.

Nothing of it is random: the same corpus in every run, so that two runs can be compared. Of the look-alikes not one of
twelve may be refused here; that fewer than 1 % are is what the load of `injection-under-load` is for.
"""

from functools import partial

from harness.checks.input_validation.corpus import ATTACKS, CASES, LOOK_ALIKES
from harness.checks.planned import AT, MS, S, chat, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import MadePrincipal, Probe

EACH_USER = 8
EVERY_NS = 120 * MS


class InputValidationPlanner:
    """The planning half of the check."""

    name: str = "input validation"
    title: str = "Wrong input gets its typed error, attacks their rule, look-alikes an answer"
    settings: tuple[Parameter, ...] = (AT,)

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return one probe for each case. Raises ValueError on a setting out of range, or a phase too short."""
        total = len(CASES) + len(ATTACKS) + len(LOOK_ALIKES)
        t = start_of(complete(self.settings, check.settings), phase, lasts_ns=total * EVERY_NS + 2 * S)
        names = [f"corpus-{check.id}-{number}" for number in range(-(-total // EACH_USER))]
        probe = partial(Probe, check_id=check.id)
        probes = [
            probe(
                name=case.name,
                at_ns=t + number * EVERY_NS,
                principal=names[number // EACH_USER],
                body=case.body,
                method=case.method,
                path=case.path,
                filler=case.filler,
                keep_bytes=2_048,
                lane=f"{check.id}-{number % 4}",
            )
            for number, case in enumerate(CASES)
        ]
        for kind, prompts in (("attack", ATTACKS), ("look-alike", LOOK_ALIKES)):
            probes += [
                probe(
                    name=f"{kind}-{number}",
                    at_ns=t + (len(probes) + number) * EVERY_NS,
                    principal=names[(len(probes) + number) // EACH_USER],
                    body=chat(prompt),
                    lane=f"{check.id}-{number % 4}",
                )
                for number, prompt in enumerate(prompts)
            ]
        return CheckSteps(probes=tuple(probes), principals=tuple(MadePrincipal(name=name) for name in names))


PLANNER = InputValidationPlanner()
