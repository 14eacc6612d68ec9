"""Which part of the timeline a judgement is about: one rule for the plan, which counts before, and for the judge.

What is here speaks of planned moments. The judge knows when each fault was really requested and proved clear, and when
the service had recovered; it goes by these, and by the same rule.
"""

import itertools
from collections.abc import Iterator, Sequence

from harness.model.fault import Fault
from harness.model.plan import Phase
from harness.model.units import NS_PER_S

BURN_REQUESTS = 20
"""A window of an error-budget burn with fewer is not looked at: one bad request of three would burn at 333 times the rate."""

RECOVERY_WINDOW_NS = NS_PER_S
RECOVERY_WINDOW_REQUESTS = 20
GOOD_IN_A_ROW = 3
"""A recovery is so many good windows in a row, each the longer of a second and of twenty requests."""

Span = tuple[int, int]
"""[start, end) in nanoseconds from the run's zero."""


def own_faults(faults: Sequence[Fault], phase: Phase) -> tuple[Fault, ...]:
    """Return the faults that are planned to be on during a phase."""
    return tuple(f for f in faults if f.phase == phase.name or (f.apply_ns < phase.end_ns and f.clear_ns > phase.start_ns))


def judged_spans(faults: Sequence[Fault], phase: Phase) -> tuple[Span, ...]:
    """Return when a request must fall due to be judged by a phase: while a fault of the phase is on, always where it has none.

    In order, none touching another. A recovery phase has all of its time here: whether the service recovers later than
    at its start, and by how much, is the service's to decide.
    """
    own = own_faults(faults, phase)
    if not own:
        return ((phase.start_ns, phase.end_ns),)
    spans: list[Span] = []
    for start_ns, end_ns in sorted((max(f.apply_ns, phase.start_ns), min(f.clear_ns, phase.end_ns)) for f in own):
        if spans and start_ns <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end_ns))
        else:
            spans.append((start_ns, end_ns))
    return tuple(spans)


def looked_until_ns(phases: Sequence[Phase], faults: Sequence[Fault], after: Phase) -> int:
    """Return where the search for a recovery from a phase ends: at the next phase with faults, or with the load."""
    later = itertools.dropwhile(lambda phase: phase.start_ns < after.end_ns, phases)
    return next((phase.start_ns for phase in later if own_faults(faults, phase)), phases[-1].end_ns)


def burn_moments(phase: Phase, long_window_ns: int, until_ns: int) -> Iterator[int]:
    """Yield the moments at which a burn rate is looked for: each second with the whole long window of the phase behind it."""
    return itertools.takewhile(lambda moment: moment <= until_ns, itertools.count(phase.start_ns + long_window_ns, NS_PER_S))
