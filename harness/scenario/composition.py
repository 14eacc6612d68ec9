"""One written fault as several on the timeline: flapping, ramps, staggering, and what a nemesis draws. Pure."""

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.model.fault import Fault, Scalar
from harness.model.fault_kinds import contradiction
from harness.model.plan import Phase
from harness.scenario.document import FaultDocument, NemesisDocument

SHORTEST_NS = 100_000_000
"""A stretch shorter than this is left out: it could be over before it is confirmed."""
MOST_PIECES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One stretch of a fault: moments from the run's zero."""

    apply_ns: int
    clear_ns: int
    parameters: Mapping[str, Scalar]


def pieces_of(written: FaultDocument, apply_ns: int, clear_ns: int) -> list[Piece]:
    """Return what a fault is on the timeline, in the order of time. Raises ValueError where its ramp or flap cannot be."""
    if written.flap is not None and written.ramp is not None:
        raise ValueError("a fault flaps or ramps, not both")
    whole = Piece(apply_ns=apply_ns, clear_ns=clear_ns, parameters=written.parameters())
    if written.flap is not None:
        return _flapping(whole, written.flap.broken, written.flap.whole)
    if written.ramp is not None:
        return _ramping(whole, written.ramp.to, written.ramp.steps)
    return [whole]


def draw(nemesis: NemesisDocument, phase: Phase, seed: int) -> list[Fault]:
    """Return the faults that a nemesis draws: the same for the same seed, never more at once than it may.

    Every `every` one is drawn from the list, among those that can hold together with what is in force; none where the
    blast radius is used up.
    """
    dice = random.Random(hashlib.sha256(f"{seed}/{phase.name}/nemesis".encode()).digest())
    drawn: list[Fault] = []
    at_ns = phase.start_ns
    while at_ns + nemesis.hold <= phase.end_ns and len(drawn) < MOST_PIECES:
        active = [fault for fault in drawn if fault.clear_ns > at_ns]
        if len(active) < nemesis.at_most:
            wanted = [_drawn(written, phase, at_ns, nemesis.hold, len(drawn) + 1) for written in nemesis.draw]
            possible = [fault for fault in wanted if not any(contradiction(other, fault) for other in active)]
            if possible:
                drawn.append(dice.choice(possible))
        at_ns += nemesis.every
    return drawn


def overlapping(faults: Sequence[Fault]) -> list[tuple[Fault, Fault, str]]:
    """Return every two faults that are in force together and cannot be, and why."""
    by_time = sorted(faults, key=lambda fault: fault.apply_ns)
    found = []
    for index, first in enumerate(by_time):
        for second in by_time[index + 1 :]:
            if second.apply_ns >= first.clear_ns:
                break
            if (why := contradiction(first, second)) is not None:
                found.append((first, second, why))
    return found


def _drawn(written: FaultDocument, phase: Phase, at_ns: int, hold_ns: int, number: int) -> Fault:
    return Fault(
        id=f"nemesis-{number}-{written.kind}-{written.at}".replace(".", "-").replace("_", "-"),
        at=written.at,
        kind=written.kind,
        phase=phase.name,
        apply_ns=at_ns,
        clear_ns=at_ns + hold_ns,
        parameters=written.parameters(),
        expects_action=written.expects_action,
    )


def _flapping(whole: Piece, broken_ns: int, whole_ns: int) -> list[Piece]:
    if (whole.clear_ns - whole.apply_ns) / (broken_ns + whole_ns) > MOST_PIECES:
        raise ValueError(f"the flapping would be more than {MOST_PIECES} faults; flap more slowly")
    starts = range(whole.apply_ns, whole.clear_ns, broken_ns + whole_ns)
    pieces = [replace(whole, apply_ns=start, clear_ns=min(start + broken_ns, whole.clear_ns)) for start in starts]
    return [piece for piece in pieces if piece.clear_ns - piece.apply_ns >= min(SHORTEST_NS, broken_ns)]


def _ramping(whole: Piece, to: Mapping[str, float], steps: int) -> list[Piece]:
    length_ns = (whole.clear_ns - whole.apply_ns) // steps
    if length_ns < SHORTEST_NS:
        raise ValueError(f"a step of the ramp would last {length_ns / 1e6:.0f} ms; use fewer steps")
    pieces = []
    for step in range(steps):
        values = {name: _between(name, whole.parameters, end, step / (steps - 1)) for name, end in to.items()}
        start_ns = whole.apply_ns + step * length_ns
        end_ns = whole.clear_ns if step == steps - 1 else start_ns + length_ns
        pieces.append(Piece(apply_ns=start_ns, clear_ns=end_ns, parameters={**whole.parameters, **values}))
    return pieces


def _between(name: str, parameters: Mapping[str, Scalar], end: float, part: float) -> int | float:
    start = parameters.get(name)
    if not isinstance(start, int | float) or isinstance(start, bool):
        raise ValueError(f"the ramp ends at {name} {end:g} and begins nowhere: give the fault a {name}")
    value = start + (end - start) * part
    return round(value) if isinstance(start, int) and float(end).is_integer() else value
