"""What the steps of a check left behind in the run directory, and the words that a judgement is made of."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from harness.measure.columns import batches
from harness.measure.reading import Reading
from harness.model.fault import FaultRecord
from harness.model.journal import Event, JournalEntry
from harness.model.judgement import Evidence, Judgement, Shown, Status, Test
from harness.model.objective import Kind, Severity
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord

MOST_EVIDENCE = 5
CANNOT_LOOK = (429, 502, 503, 504)
PROBES_FILE = "exchanges/probes.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What must hold of every answer to one probe. says: `no key is refused`; holds: of an answer that came."""

    name: str
    says: str
    holds: Callable[[ProbeRecord], bool]


def records_of(reading: Reading, check: PlannedCheck) -> dict[str, list[ProbeRecord]]:
    """Return what the check asked, by the name of the probe, in the order in which it was done. Raises RunDirectoryError."""
    found: dict[str, list[ProbeRecord]] = {}
    for record in reading.run.probes():
        if record.check_id == check.id:
            found.setdefault(record.name, []).append(record)
    return found


def answered(records: Sequence[ProbeRecord]) -> list[ProbeRecord]:
    """Return those to which an answer with a status came."""
    return [record for record in records if record.status_code is not None]


def action_of(reading: Reading, check: PlannedCheck, name: str) -> JournalEntry | None:
    """Return the end of an action of the check, done or failed; None where it never ended."""
    for entry in reversed(reading.journal):
        if entry.event in (Event.ACTION_DONE, Event.ACTION_FAILED) and entry.subject == f"{check.id}/{name}":
            return entry
    return None


def begun_ns_of(reading: Reading, check: PlannedCheck, name: str) -> int | None:
    """Return when an action of the check was begun; None where it never was."""
    found = [e.t_ns for e in reading.journal if e.event is Event.ACTION_STARTED and e.subject == f"{check.id}/{name}"]
    return found[-1] if found else None


def undone(reading: Reading, check: PlannedCheck, *names: str) -> str | None:
    """Return why what the check rests on was not done on the target; None where all of it was."""
    for name in names:
        entry = action_of(reading, check, name)
        if entry is None:
            return f"{name} was never done on the target"
        if entry.event is Event.ACTION_FAILED:
            return f"{name} could not be done on the target: {entry.data.get('reason')}"
    return None


def files_told(reading: Reading, check: PlannedCheck, name: str) -> dict[str, str]:
    """Return the files of YAML, name to text, that an action of the check told of: alert rules, say."""
    entry = action_of(reading, check, name)
    told = {} if entry is None else entry.data
    return {file: text for file, text in told.items() if file.endswith((".yml", ".yaml")) and isinstance(text, str)}


def in_force(fault: FaultRecord, record: ProbeRecord) -> bool | None:
    """Return whether a fault was in force throughout an exchange; None where it began or ended meanwhile.

    record: of an exchange that was begun and has ended.
    """
    assert record.started_ns is not None
    assert record.ended_ns is not None
    if fault.requested_ns is None or record.ended_ns < fault.requested_ns:
        return False
    if fault.proved_clear_ns is not None and record.started_ns > fault.proved_clear_ns:
        return False
    began = fault.confirmed_ns is not None and record.started_ns >= fault.confirmed_ns
    ended = fault.cleared_ns is not None and record.ended_ns > fault.cleared_ns
    return True if began and not ended else None


def told_between(reading: Reading, check: PlannedCheck, first: str, last: str, figure: str) -> float | None:
    """Return by how much what two actions told differs, the later minus the earlier; None where one told no such number."""
    before, after = (
        None if (entry := action_of(reading, check, name)) is None else entry.data.get(figure) for name in (first, last)
    )
    if isinstance(before, int | float) and isinstance(after, int | float):
        return after - before
    return None


def begins_ns_of(reading: Reading, phase_name: str) -> int:
    """Return when a phase was what it is for: its start, or the last fault in it that was confirmed or proved clear."""
    phase = reading.plan.phase(phase_name)
    # A fault that ends with the phase it is of is proved clear in the next one.
    changes = [moment for fault in reading.faults for moment in (fault.confirmed_ns, fault.proved_clear_ns)]
    return max([phase.start_ns, *(m for m in changes if m is not None and phase.start_ns <= m < phase.end_ns)])


def calls_of(reading: Reading, request_ids: Sequence[str]) -> Mapping[str, int]:
    """Return how many calls each request id caused at the provider; empty where it left no records."""
    counts: dict[str, int] = {}
    if reading.calls is None or not request_ids:
        return counts
    wanted = pa.array(request_ids, pa.string())
    for batch in batches(reading.run, "truth/calls.parquet", ["request_id"]):
        column = batch.column(0).cast(pa.string())
        for value in column.filter(pc.fill_null(pc.is_in(column, value_set=wanted), False)).to_pylist():
            counts[value] = counts.get(value, 0) + 1
    return counts


def judge_table(
    reading: Reading,
    check: PlannedCheck,
    expectations: Sequence[Expectation],
    *,
    what: str,
    rests_on: Sequence[str] = (),
    cannot_look: Collection[int] = CANNOT_LOOK,
    too_late: Callable[[ProbeRecord], bool] = lambda _: False,
) -> Judgement:
    """Return pass where every expectation was put to the test and holds, fail where one does not; else inconclusive.

    An answer by which the service says that it cannot look, or none at all, neither keeps nor breaks a promise.
    cannot_look: the statuses that say so. rests_on: actions that must have been done. too_late: answers to what was
    asked when the promise may not have held any more, which tell nothing.
    """
    records = records_of(reading, check)
    broken: list[tuple[Expectation, ProbeRecord]] = []
    unseen: list[str] = []
    seen = 0
    for expectation in expectations:
        mine = records.get(expectation.name, [])
        timely = [record for record in answered(mine) if not too_late(record)]
        told = [record for record in timely if expectation.holds(record) or record.status_code not in cannot_look]
        seen += len(told)
        wrong = [record for record in told if not expectation.holds(record)]
        broken += [(expectation, record) for record in wrong]
        if not told or (len(told) < len(mine) and not wrong):
            unseen.append(_why_unseen(expectation, mine))
    evidence = tuple(evidence_of(record) for _, record in broken[:MOST_EVIDENCE])
    missing = undone(reading, check, *rests_on)
    if broken:
        expectation, record = broken[0]
        rest = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        status, reason = Status.FAIL, f"{what}: {expectation.says} does not hold: {told_of(record)}{rest}"
    elif missing is not None:
        status, reason = Status.INCONCLUSIVE, f"{what}: {missing}"
    elif unseen:
        rest = f" (and {len(unseen) - 1} more)" if len(unseen) > 1 else ""
        status, reason = Status.INCONCLUSIVE, f"{what}: {unseen[0]}{rest}"
    else:
        status, reason = Status.PASS, f"{what}: all {len(expectations)} hold, by {seen} answers"
    test = Test(quantity="broken_promises", op="<=", limit=0.0, value=float(len(broken)), n=seen, bad=len(broken))
    return judgement(check, status, reason, test=test, evidence=evidence)


def judgement(
    check: PlannedCheck,
    status: Status,
    reason: str,
    *,
    test: Test | None = None,
    shown: Shown | None = None,
    evidence: tuple[Evidence, ...] = (),
    kind: Kind = Kind.CHECK,
) -> Judgement:
    """Return the row of a check."""
    return Judgement(
        id=check.id,
        kind=kind,
        severity=Severity.GATE,
        status=status,
        reason=reason,
        covers=check.covers,
        phase=check.phase,
        written=check.name,
        test=test,
        shown=shown,
        evidence=evidence,
    )


def evidence_of(record: ProbeRecord) -> Evidence:
    """Return where an exchange of a check is to be found."""
    return Evidence(kind="log", ref=f"{PROBES_FILE}: {record.check_id}/{record.name} {record.number}")


def told_of(record: ProbeRecord) -> str:
    """Return what was asked and what came, in few words."""
    where = "" if record.instance is None else f" at instance {record.instance}"
    asked = f"{record.name}{where} ({record.method} {record.path})"
    if record.status_code is None:
        return f"{asked} got no answer ({record.problem or record.error_kind or record.result})"
    refusal = "" if record.refusal is None else f", refused by {record.refusal}"
    return f"{asked} was answered with {record.status_code}{refusal}"


def _why_unseen(expectation: Expectation, mine: Sequence[ProbeRecord]) -> str:
    if not mine:
        return f"whether {expectation.says} was never asked"
    told = answered(mine)
    worst = next((record for record in mine if record not in told), mine[-1])
    return f"nobody can say whether {expectation.says}: {told_of(worst)}"
