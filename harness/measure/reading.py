"""A run, read once: what every measurement and every judgement is made from."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.measure.close import calls_of, close_samples, sample_of_call
from harness.measure.faults import exposure, records_of
from harness.measure.instrument import health_of
from harness.measure.membership import Members, members_of
from harness.measure.recovery import Aftermath, aftermaths, recovered_before
from harness.measure.requests import COLUMNS, Mask, Requests, in_intended_order, requests_of
from harness.model.fault import FaultRecord
from harness.model.journal import JournalEntry
from harness.model.judgement import InstrumentHealth
from harness.model.live import LiveLine
from harness.model.plan import PhaseKind, Plan
from harness.rundir import RunDirectory

SAMPLE_COLUMNS = (*COLUMNS, "principal", "model", "request_id")
CALL_COLUMNS = ("endpoint", "request_id", "tag", "received_ns", "ended_ns", "cost_usd")
"""What is read of a run: the rest would double the memory of ten million rows and is looked up where one row is asked for."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Reading:
    """Everything of a run that can be counted; derived parts are computed when first asked for.

    table: columns of the closed samples, row by row beside `requests`, for what those leave out. calls: None where the provider
    left no records.
    """

    plan: Plan
    journal: tuple[JournalEntry, ...]
    live: tuple[LiveLine, ...]
    table: pa.Table
    requests: Requests
    calls: pa.Table | None
    faults: tuple[FaultRecord, ...]

    @cached_property
    def exposed(self) -> dict[str, Mask]:
        """For each fault that was requested, the requests that it could touch."""
        r = self.requests
        return exposure(self.faults, r.intended_ns, r.started_ns, r.ended_ns)

    @cached_property
    def call_owner(self) -> npt.NDArray[np.int64]:
        """For each call of the provider, the row of the request that caused it; -1 where none is known."""
        return np.empty(0, dtype=np.int64) if self.calls is None else sample_of_call(self.table, self.calls)

    @cached_property
    def calls_per_request(self) -> npt.NDArray[np.int64]:
        """For each request, how many calls it caused at the provider."""
        known = self.call_owner[self.call_owner >= 0]
        return np.bincount(known, minlength=len(self.requests.seq)).astype(np.int64)

    @cached_property
    def aftermaths(self) -> tuple[Aftermath, ...]:
        """What followed each phase that had faults."""
        return aftermaths(self.plan, self.faults, self.requests)

    @cached_property
    def members(self) -> dict[str, Members]:
        """Phase name to the requests that the phase judges."""
        return {
            phase.name: members_of(
                self.plan, phase, self.requests, self.exposed, recovered_before(self.plan, self.aftermaths, phase.name)
            )
            for phase in self.plan.phases
        }

    @cached_property
    def health(self) -> InstrumentHealth:
        """The generator's own health."""
        return health_of(self.plan, self.requests, self.live)

    @cached_property
    def judged(self) -> Mask:
        """The requests that any phase but a warm-up judges."""
        parts = [m.eligible for m in self.members.values() if m.phase.kind is not PhaseKind.WARMUP]
        none = np.zeros(len(self.requests.seq), dtype=np.bool_)
        return np.logical_or.reduce(parts, axis=0) if parts else none


def read_run(run: RunDirectory) -> Reading:
    """Read a run directory, closing its samples first where a killed run left only streams. Raises RunDirectoryError."""
    if not run.samples_path.exists():
        close_samples(run)
    plan, journal, table = run.read_plan(), tuple(run.journal()), in_intended_order(run.samples(SAMPLE_COLUMNS))
    return Reading(
        plan=plan,
        journal=journal,
        live=tuple(run.live_lines()),
        table=table,
        requests=requests_of(table, plan),
        calls=calls_of(run, CALL_COLUMNS),
        faults=records_of(plan, journal),
    )
