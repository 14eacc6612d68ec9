"""How long a service took to be itself again after a fault.

From the moment the fault is proved clear to the start of the first of three good windows in a row. A window is the
longer of 1 s and 20 requests; it is good when the point share of every ratio objective of the steady state holds in
it. A bounded share would need 59 requests a window and hide a recovery of a second.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.measure.requests import Mask, Requests
from harness.measure.shares import events_of, steady_ratios
from harness.model.fault import FaultRecord
from harness.model.judged_time import (
    GOOD_IN_A_ROW,
    RECOVERY_WINDOW_NS,
    RECOVERY_WINDOW_REQUESTS,
    looked_until_ns,
    own_faults,
)
from harness.model.measurement import Recovery
from harness.model.outcome import Source
from harness.model.plan import PhaseKind, Plan
from harness.model.units import NS_PER_S


@dataclass(frozen=True, slots=True)
class Search:
    """What a search for recovery found: exactly one of its moments, or neither where nothing was looked for."""

    recovered_ns: float | None
    not_before_ns: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What followed the faults of one phase; moments in nanoseconds from the run's zero, None: did not happen.

    looked_until_ns: the end of the search, where the next fault or the end of the load came. not_before_ns: without
    a recovery, the earliest moment at which one could have begun and not been seen to its third window.
    """

    after: str
    confirmed_ns: int | None
    proved_clear_ns: int | None
    recovered_ns: float | None
    not_before_ns: float | None
    looked_until_ns: int
    first_effect_ns: float | None
    first_fallback_ns: float | None
    first_primary_ns: float | None

    def as_recovery(self) -> Recovery:
        """Return it as durations in seconds."""

        def since(start: int | None, moment: float | None) -> float | None:
            return None if start is None or moment is None else (moment - start) / NS_PER_S

        return Recovery(
            after=self.after,
            recovered_s=since(self.proved_clear_ns, self.recovered_ns),
            window_s=max(0.0, since(self.proved_clear_ns, self.looked_until_ns) or 0.0),
            to_detect_s=since(self.confirmed_ns, self.first_effect_ns),
            to_fallback_s=since(self.confirmed_ns, self.first_fallback_ns),
            to_primary_s=since(self.proved_clear_ns, self.first_primary_ns),
        )


def aftermaths(plan: Plan, faults: Sequence[FaultRecord], requests: Requests, load_ended_ns: int) -> tuple[Aftermath, ...]:
    """Return what followed each phase that had faults, in the order of the phases.

    load_ended_ns: where the load really ended; a run that was cut short is not looked at beyond.
    """
    found = []
    for phase in plan.phases:
        ids = {fault.id for fault in own_faults(plan.faults, phase)}
        if not ids:
            continue
        own = [fault for fault in faults if fault.id in ids]
        confirmed = min((f.confirmed_ns for f in own if f.confirmed_ns is not None), default=None)
        clears = [f.proved_clear_ns for f in own if f.proved_clear_ns is not None]
        cleared = max(clears) if clears and len(clears) == len(own) else None
        later = min(looked_until_ns(plan.phases, plan.faults, phase), load_ended_ns)
        search = Search(None, None) if cleared is None else search_recovery(plan, requests, cleared, later)
        is_fallback = requests.mix & requests.fallback
        is_primary = requests.mix & requests.model_answered & ~requests.fallback & requests.source.is_in([Source.PRIMARY])
        found.append(
            Aftermath(
                after=phase.name,
                confirmed_ns=confirmed,
                proved_clear_ns=cleared,
                recovered_ns=search.recovered_ns,
                not_before_ns=search.not_before_ns,
                looked_until_ns=later,
                first_effect_ns=_first_end(requests, (requests.mix & requests.bad) | is_fallback, confirmed, cleared),
                first_fallback_ns=_first_end(requests, is_fallback, confirmed, cleared),
                first_primary_ns=_first_end(requests, is_primary, cleared, later),
            )
        )
    return tuple(found)


def recovered_before(plan: Plan, found: Sequence[Aftermath], phase_name: str) -> float | None:
    """Return the moment from which a recovery phase is judged: None where nothing came before it, or nothing recovered."""
    names = [phase.name for phase in plan.phases]
    before = [a for a in found if names.index(a.after) < names.index(phase_name)]
    return before[-1].recovered_ns if before and plan.phase(phase_name).kind is PhaseKind.RECOVERY else None


def search_recovery(plan: Plan, requests: Requests, from_ns: int, until_ns: int) -> Search:
    """Look for the first of three good windows in a row within [from_ns, until_ns)."""
    first, last = (int(edge) for edge in np.searchsorted(requests.intended_ns, (from_ns, until_ns)))
    rows = first + np.flatnonzero(requests.mix[first:last] & ~requests.cancelled[first:last])
    sums = []
    for objective in steady_ratios(plan):
        events = events_of(objective, requests, plan.objectives)
        counted, bad = (np.concatenate(([0], np.cumsum(mask[rows]))) for mask in (events.counted, events.bad))
        sums.append((counted, bad, objective.bad_limit))
    row_began: float = from_ns
    good_in_a_row = 0
    for window in _windows(requests.intended_ns[rows], from_ns, until_ns):
        low, high = window.rows
        shares = [(bad[high] - bad[low], n, limit) for counted, bad, limit in sums if (n := counted[high] - counted[low])]
        if shares and all(bad / n <= limit for bad, n, limit in shares):
            good_in_a_row += 1
            if good_in_a_row == GOOD_IN_A_ROW:
                return Search(row_began, None)
        else:
            good_in_a_row = 0
            row_began = window.end_ns
    return Search(None, row_began)


@dataclass(frozen=True, slots=True)
class _Window:
    """rows: the first, and the one after the last."""

    end_ns: int
    rows: tuple[int, int]


def _windows(intended: npt.NDArray[np.int64], from_ns: int, until_ns: int) -> Iterator[_Window]:
    """Yield whole windows, back to back."""
    start, low = from_ns, 0
    while True:
        high = max(int(np.searchsorted(intended, start + RECOVERY_WINDOW_NS)), low + RECOVERY_WINDOW_REQUESTS)
        if high > intended.size:
            return
        end = max(start + RECOVERY_WINDOW_NS, int(intended[high - 1]) + 1)
        if end > until_ns:
            return
        yield _Window(end, (low, high))
        start, low = end, high


def _first_end(requests: Requests, which: Mask, from_ns: int | None, until_ns: int | None) -> float | None:
    if from_ns is None:
        return None
    within = which & (requests.ended_ns >= from_ns) & (requests.ended_ns <= (math.inf if until_ns is None else until_ns))
    return float(np.min(requests.ended_ns[within])) if within.any() else None
