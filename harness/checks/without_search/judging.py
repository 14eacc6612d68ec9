"""Was each question answered by a model, in time, with a mark while the search failed, and anew when it worked again?"""

from harness.checks.evidence import MOST_EVIDENCE, calls_of, evidence_of, in_force, judgement, records_of, told_of, undone
from harness.checks.expectations import is_good
from harness.checks.settings import complete
from harness.checks.without_search.planning import AFTER, ASKED, BEFORE, PLANNER, WITHOUT
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status, Test
from harness.model.outcome import DEGRADED_SOURCES
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord
from harness.model.units import format_duration, parse_duration_ns


def judge_without_search(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether people were answered, honestly, without the search. Raises RunDirectoryError."""
    values = complete(PLANNER.settings, check.settings)
    place, within_ns = str(values["fault"]), parse_duration_ns(values["within"])
    records = records_of(reading, check)
    calls = (
        None
        if reading.calls is None
        else calls_of(reading, [record.request_id for asked in records.values() for record in asked])
    )
    problems: list[tuple[str, ProbeRecord]] = []
    unseen: list[str] = []
    told = 0
    for when in (BEFORE, WITHOUT, AFTER):
        for name in (f"{when}-{n}" for n in range(ASKED)):
            record = next(iter(records.get(name, [])), None)
            if record is None or record.started_ns is None or record.ended_ns is None:
                unseen.append(f"{name} was never asked")
                continue
            if _failing(reading, place, record) is not (when == WITHOUT):
                unseen.append(f"{name} was not asked {'while' if when == WITHOUT else 'outside of'} the fault at {place}")
                continue
            if when == BEFORE:
                if not is_good(record) or record.source in DEGRADED_SOURCES:
                    unseen.append(f"the search did not work before it was to fail: {told_of(record)}, marked {record.source}")
                continue
            told += 1
            wrong = _wrong(record, when, within_ns, None if calls is None else calls.get(record.request_id, 0))
            problems += [] if wrong is None else [(wrong, record)]
    test = Test(
        quantity="not_as_promised", op="<=", limit=0.0, value=float(len(problems)) if told else None, n=told, bad=len(problems)
    )
    if problems:
        text, _ = problems[0]
        rest = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        evidence = tuple(evidence_of(record) for _, record in problems[:MOST_EVIDENCE])
        return judgement(check, Status.FAIL, f"without search: {text}{rest}", test=test, evidence=evidence)
    documents = [action.name for action in reading.plan.actions if action.check_id == check.id]
    if (why := undone(reading, check, *documents)) is not None:
        return judgement(check, Status.INCONCLUSIVE, f"without search: {why}", test=test)
    if calls is None:
        unseen.insert(0, "the provider's records are missing, so nothing says whether a model was asked")
    if unseen:
        return judgement(check, Status.INCONCLUSIVE, f"without search: {unseen[0]}", test=test)
    how = f"{ASKED} questions were answered without their documents, marked and within {format_duration(within_ns)}"
    reason = f"without search: {how}; asked again afterwards, each was answered anew and unmarked"
    return judgement(check, Status.PASS, reason, test=test)


def _wrong(record: ProbeRecord, when: str, within_ns: int, calls: int | None) -> str | None:
    """Return what is wrong with an answer; None where nothing is. calls: at the provider, None where nobody knows."""
    assert record.started_ns is not None
    assert record.ended_ns is not None
    while_it = "while the search failed" if when == WITHOUT else "after it"
    if not is_good(record):
        return f"{while_it} {told_of(record)}"
    if (took_ns := record.ended_ns - record.started_ns) > within_ns:
        return f"{while_it} {record.name} took {took_ns / 1e9:.1f} s; {format_duration(within_ns)} are allowed"
    marked = record.source in DEGRADED_SOURCES
    if when == WITHOUT and not marked:
        return f"{record.name} was answered without its documents, and nothing says so (source {record.source})"
    if when == AFTER and marked:
        return f"{record.name} was still answered without its documents, after the search worked again"
    if calls == 0:
        kept = "" if when == WITHOUT else ": one that was made without its documents had been kept"
        return f"{record.name} was answered {while_it}, and no model was asked{kept}"
    return None


def _failing(reading: Reading, place: str, record: ProbeRecord) -> bool | None:
    """Return whether the fault was in force throughout an exchange; None where it began or ended meanwhile."""
    found = (in_force(fault, record) for fault in reading.faults if fault.at == place)
    return next((each for each in found if each is not False), False)
