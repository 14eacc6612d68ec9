"""A run, read once: what every measurement and every judgement is made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.measure.close import close_run, seal
from harness.measure.columns import SampleColumns
from harness.measure.faults import exposure, records_of
from harness.measure.instrument import health_of
from harness.measure.membership import Members, members_of
from harness.measure.recovery import Aftermath, aftermaths, recovered_before
from harness.measure.requests import Mask, Requests, requests_of
from harness.measure.truth import CallBooks, call_books
from harness.model.fault import FaultRecord
from harness.model.journal import Event, JournalEntry
from harness.model.judgement import InstrumentHealth
from harness.model.live import LiveLine
from harness.model.plan import PhaseKind, Plan
from harness.rundir import RunDirectory


@dataclass(frozen=True, eq=False, kw_only=True)
class Reading:
    """Everything of a run that can be counted; derived parts are computed when first asked for.

    calls: the provider's books; None where the provider left no records.
    """

    run: RunDirectory
    plan: Plan
    journal: tuple[JournalEntry, ...]
    live: tuple[LiveLine, ...]
    requests: Requests
    calls: CallBooks | None
    faults: tuple[FaultRecord, ...]

    @cached_property
    def exposed(self) -> dict[str, Mask]:
        """For each fault that was requested, the requests that it could touch."""
        r = self.requests
        return exposure(self.faults, r.intended_ns, r.started_ns, r.ended_ns)

    @cached_property
    def calls_per_request(self) -> npt.NDArray[np.int32]:
        """For each request, how many calls it caused at the provider, as they were joined at the close."""
        return self.requests.columns.lengths("call_ids")

    def rows(self, names: Sequence[str], which: npt.NDArray[np.int64]) -> pa.Table:
        """Return some rows of some columns of the samples, `call_ids` among them, of which every row's are counted on the way."""
        table, self.__dict__["calls_per_request"] = self.requests.columns.rows_and_lengths(names, which, "call_ids")
        return table

    @cached_property
    def ended_ns(self) -> int:
        """The moment at which the load really ended: the plan's end, or the journal's where the run was cut short."""
        stops = (Event.ABORTED, Event.INTERRUPTED, Event.TROUBLE, Event.PROCESS_DIED)
        cut = [entry.t_ns for entry in self.journal if entry.event in stops and entry.t_ns is not None]
        return min([self.plan.end_ns, *(max(0, moment) for moment in cut)])

    @cached_property
    def aftermaths(self) -> tuple[Aftermath, ...]:
        """What followed each phase that had faults."""
        return aftermaths(self.plan, self.faults, self.requests, self.ended_ns)

    @cached_property
    def members(self) -> dict[str, Members]:
        """Phase name to the requests that the phase judges."""
        return {
            phase.name: members_of(
                self.plan, phase, self.requests, self.exposed, recovered_before(self.plan, self.aftermaths, phase.name)
            )
            for phase in self.plan.phases
        }

    def prepare(self) -> None:
        """Compute what several threads will ask for: none of it is worth computing twice."""
        requests = self.requests
        _ = (self.judged, requests.response_ns, requests.lag_ns)

    @cached_property
    def health(self) -> InstrumentHealth:
        """The generator's own health."""
        return health_of(self.plan, self.requests, self.live, self.ended_ns)

    @cached_property
    def judged(self) -> Mask:
        """The requests that any phase but a warm-up judges."""
        parts = [m.eligible for m in self.members.values() if m.phase.kind is not PhaseKind.WARMUP]
        none = np.zeros(self.requests.size, dtype=np.bool_)
        return np.logical_or.reduce(parts, axis=0) if parts else none


def read_run(run: RunDirectory) -> Reading:
    """Read a run directory, closing and sealing it first where a killed run left only streams.

    Raises RunDirectoryError, also where the run is still going on: what is there yet would be taken for all of it.
    """
    if close_run(run):
        seal(run)
    plan, journal = run.read_plan(), tuple(run.journal())
    return Reading(
        run=run,
        plan=plan,
        journal=journal,
        live=tuple(run.live_lines()),
        requests=requests_of(SampleColumns(run), plan),
        calls=call_books(run),
        faults=records_of(plan, journal),
    )
