"""What the polite answers check sends: questions that a cache may keep, at the end of an outage and again after it.

It stands in the recovery phase, and its first questions go before that begins: while no model answers, a user gets a polite
sentence, which must be kept for nobody. Each question is asked twice in all, so that what the second answer is kept from can
only be the first one.
"""

from functools import partial

from harness.checks.planned import MS, S, chat
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import MadePrincipal, Probe
from harness.model.units import format_duration, parse_duration_ns

QUESTIONS = 4
EVERY_NS = 250 * MS


class PoliteAnswersPlanner:
    """The planning half of the check."""

    name: str = "polite answers"
    title: str = "The polite answer of an outage is not kept: after it the same question gets a model's answer"
    settings: tuple[Parameter, ...] = (
        Parameter(
            name="before", type=str, doc="how long before the phase the questions are asked first: a duration", default="4s"
        ),
        Parameter(name="settles", type=str, doc="how long into the phase they are asked again: a duration", default="8s"),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the probes. Raises ValueError on a setting out of range, or a phase too short or too early."""
        values = complete(self.settings, check.settings)
        before_ns, settles_ns = (parse_duration_ns(values[name]) for name in ("before", "settles"))
        length_ns = phase.end_ns - phase.start_ns
        if settles_ns + 2 * S > length_ns:
            raise ValueError(
                f"`settles` is {values['settles']}, and phase {phase.name!r} lasts {format_duration(length_ns)} only"
            )
        if before_ns > phase.start_ns or before_ns < QUESTIONS * EVERY_NS:
            begins = format_duration(phase.start_ns)
            raise ValueError(
                f"`before` is {values['before']}; phase {phase.name!r} begins after {begins} and the questions take a second"
            )
        principal = f"patient-{check.id}"
        ask = partial(Probe, check_id=check.id, principal=principal)
        probes: list[Probe] = []
        for n in range(QUESTIONS):
            question = partial(
                ask, body=chat(f"Explain paragraph {n} of agreement {check.id} in full.", temperature=0), lane=f"{check.id}-{n}"
            )
            probes += [
                question(name=f"first-{n}", at_ns=phase.start_ns - before_ns + n * EVERY_NS),
                question(name=f"again-{n}", at_ns=phase.start_ns + settles_ns + n * EVERY_NS),
            ]
        return CheckSteps(probes=tuple(probes), principals=(MadePrincipal(name=principal),))


PLANNER = PoliteAnswersPlanner()
