"""What has to happen when: the plan's phases and faults as steps in the order of time."""

import enum
from dataclasses import dataclass

from harness.model.fault import Fault
from harness.model.plan import Phase, Plan
from harness.model.probe import Action, Probe


class StepKind(enum.IntEnum):
    """At one moment faults are cleared first, then a phase begins, then its faults are applied, then checks have their turn."""

    CLEAR = 0
    PHASE = 1
    APPLY = 2
    ACTION = 3
    PROBE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do at `at_ns` from the run's zero."""

    at_ns: int
    kind: StepKind
    fault: Fault | None = None
    phase: Phase | None = None
    action: Action | None = None
    probe: Probe | None = None


def steps_of(plan: Plan) -> list[Step]:
    """Return every step of a plan, in the order in which they are to be done.

    Faults that end at the same moment are cleared in the reverse of the order in which they are applied.
    """
    steps = [Step(at_ns=phase.start_ns, kind=StepKind.PHASE, phase=phase) for phase in plan.phases]
    steps += [Step(at_ns=fault.apply_ns, kind=StepKind.APPLY, fault=fault) for fault in plan.faults]
    steps += [Step(at_ns=fault.clear_ns, kind=StepKind.CLEAR, fault=fault) for fault in reversed(plan.faults)]
    steps += [Step(at_ns=action.at_ns, kind=StepKind.ACTION, action=action) for action in plan.actions]
    steps += [
        Step(at_ns=probe.at_ns + number * probe.every_ns, kind=StepKind.PROBE, probe=probe)
        for probe in plan.probes
        for number in range(probe.count)
    ]
    return sorted(steps, key=lambda step: (step.at_ns, step.kind))
