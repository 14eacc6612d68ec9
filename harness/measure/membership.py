"""Which requests each phase judges.

A request belongs to the phase of its intended start. Phases without faults judge the requests that were exposed to
none; fault phases judge those exposed to a fault of theirs and to no other; a recovery phase judges from the recovered
moment, or all of it where that never came. The rest straddle, and are counted and shown.
Source: docs/explanation/outcomes.md
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from harness.measure.faults import own_faults
from harness.measure.requests import Mask, Requests
from harness.model.plan import Phase, PhaseKind, Plan


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Members:
    """The requests of one phase, each mask over all requests of the run.

    intended = eligible + straddling + recovering + cancelled, none of them twice.
    recovering: of a recovery phase, those intended before the recovered moment.
    """

    phase: Phase
    intended: Mask
    eligible: Mask
    straddling: Mask
    recovering: Mask
    cancelled: Mask


def members_of(
    plan: Plan, phase: Phase, requests: Requests, exposed: Mapping[str, Mask], recovered_ns: float | None = None
) -> Members:
    """Return which requests a phase judges.

    exposed: for each fault id, the requests that it could touch. recovered_ns: the moment from which a recovery phase
    is judged, from the run's zero; None to judge all of it.
    """
    intended = requests.mix & (requests.intended_ns >= phase.start_ns) & (requests.intended_ns < phase.end_ns)
    own = own_faults(plan, phase)
    none = np.zeros(len(requests.seq), dtype=np.bool_)
    touched_own = np.logical_or.reduce([exposed[f] for f in exposed if f in own], axis=0) if own & set(exposed) else none
    foreign = [exposed[f] for f in exposed if f not in own]
    touched_foreign = np.logical_or.reduce(foreign, axis=0) if foreign else none
    clean = ~touched_foreign & touched_own if own else ~touched_foreign
    kept = intended & ~requests.cancelled
    early = none
    if phase.kind is PhaseKind.RECOVERY and recovered_ns is not None:
        early = kept & clean & (requests.intended_ns < recovered_ns)
    return Members(
        phase=phase,
        intended=intended,
        eligible=kept & clean & ~early,
        straddling=kept & ~clean,
        recovering=early,
        cancelled=intended & requests.cancelled,
    )
