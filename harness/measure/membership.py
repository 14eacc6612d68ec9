"""Which requests each phase judges.

A request belongs to the phase of its intended start. Phases without faults judge the requests that were exposed to
none; fault phases judge those exposed to a fault of theirs and to no other; a recovery phase judges from the recovered
moment, or all of it where that never came. The rest straddle, and are counted and shown. The same rule over planned
moments, by which a plan tells how many requests a phase will judge, is `harness.model.judged_time.judged_spans`.
Source: docs/explanation/outcomes.md
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.measure.requests import Mask, Requests
from harness.model.judged_time import own_faults
from harness.model.plan import Phase, PhaseKind, Plan


class Standing(enum.IntEnum):
    """What a phase makes of a request."""

    FOREIGN = 0  # intended in another phase, or part of a check's burst
    ELIGIBLE = 1
    STRADDLING = 2
    RECOVERING = 3
    CANCELLED = 4


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Members:
    """The requests of one phase; each mask is over all requests of the run, and made when it is asked for.

    intended = eligible + straddling + recovering + cancelled, none of them twice.
    recovering: of a recovery phase, those intended before the recovered moment.
    """

    phase: Phase
    rows: slice
    standing: npt.NDArray[np.uint8]
    size: int

    @property
    def intended(self) -> Mask:
        """Every request of the ordinary load that was intended in the phase."""
        return self._where(self.standing != Standing.FOREIGN)

    @property
    def eligible(self) -> Mask:
        """Those that the phase judges."""
        return self._where(self.standing == Standing.ELIGIBLE)

    def count(self, standing: Standing) -> int:
        """Return how many requests of the phase have that standing."""
        return int(np.count_nonzero(self.standing == standing))

    def _where(self, inside: Mask) -> Mask:
        mask = np.zeros(self.size, dtype=np.bool_)
        mask[self.rows] = inside
        return mask


def members_of(
    plan: Plan, phase: Phase, requests: Requests, exposed: Mapping[str, Mask], recovered_ns: float | None = None
) -> Members:
    """Return which requests a phase judges.

    exposed: for each fault id, the requests that it could touch. recovered_ns: the moment from which a recovery phase
    is judged, from the run's zero; None to judge all of it.
    """
    low, high = (int(np.searchsorted(requests.intended_ns, edge)) for edge in (phase.start_ns, phase.end_ns))
    rows = slice(low, max(low, high))
    own = {fault.id for fault in own_faults(plan.faults, phase)}
    none = np.zeros(rows.stop - rows.start, dtype=np.bool_)
    touched_own = np.logical_or.reduce([none, *(exposed[f][rows] for f in exposed if f in own)], axis=0)
    touched_foreign = np.logical_or.reduce([none, *(exposed[f][rows] for f in exposed if f not in own)], axis=0)
    clean = ~touched_foreign & touched_own if own else ~touched_foreign
    standing = np.where(clean, Standing.ELIGIBLE, Standing.STRADDLING).astype(np.uint8)
    if phase.kind is PhaseKind.RECOVERY and recovered_ns is not None:
        standing[clean & (requests.intended_ns[rows] < recovered_ns)] = Standing.RECOVERING
    standing[requests.cancelled[rows]] = Standing.CANCELLED
    standing[~requests.mix[rows]] = Standing.FOREIGN
    return Members(phase=phase, rows=rows, standing=standing, size=requests.size)
