"""Can this run be believed? Every reason why not, as one sentence each with what to do."""

from collections.abc import Sequence

from harness.measure.reading import Reading
from harness.model.fault import FaultRecord
from harness.model.journal import Event
from harness.rundir import RunDirectory

EXTERNAL = "external"
"""The one kind of target that may come without a provider of ours, and so without its records."""


def why_invalid(run: RunDirectory, reading: Reading) -> tuple[str, ...]:
    """Return what makes the run invalid, the gravest first; empty where nothing does."""
    return (*_edited(run), *_cut_short(reading), *_capped(reading), *_faults(reading), *reading.health.problems)


def _edited(run: RunDirectory) -> list[str]:
    changed = run.tampered()
    if changed == ["manifest.json"]:
        return ["the run directory has no readable manifest, so nobody can tell whether it was changed: run again"]
    return [f"changed after the run: {', '.join(changed)}; run again, a verdict is worth what its evidence is"] if changed else []


def _cut_short(reading: Reading) -> list[str]:
    problems = []
    for entry in reading.journal:
        if entry.event in (Event.ABORTED, Event.INTERRUPTED, Event.TROUBLE, Event.PROCESS_DIED):
            about = " ".join(str(part) for part in (entry.subject, entry.data.get("reason")) if part is not None)
            problems.append(f"the run did not go through: {entry.event.value}" + (f": {about}" if about else ""))
    events = {entry.event for entry in reading.journal}
    if Event.LOAD_ENDED not in events:
        problems.append("the load did not run to its end; see logs/ and the end of journal.jsonl")
    elif Event.RUN_ENDED not in events:
        problems.append("the run was not closed in order; see the end of journal.jsonl")
    if reading.plan.clock is None:
        problems.append("the run has no zero on its clock: it never started")
    if reading.calls is None and reading.plan.target.kind != EXTERNAL:
        problems.append("truth/calls.parquet is missing: nothing says what the provider really did; run again")
    return problems


def _capped(reading: Reading) -> list[str]:
    capped = 0 if reading.calls is None else reading.calls.capped()
    if not capped:
        return []
    what = "raise `limits.spend_usd` of the target's description, or ask for less"
    return [f"the harness's own spend cap refused {capped} calls to the real provider, which broke what was asked: {what}"]


def _faults(reading: Reading) -> list[str]:
    entries = [e for e in reading.journal if e.event is Event.FAULT_FAILED and e.data.get("rehearsal") is not True]
    failed = {e.subject: e.data.get("reason") for e in entries}
    let_go = {e.subject for e in entries if e.data.get("step") == "hold"}
    problems = []
    for fault in reading.faults:
        if (sentence := _fault_problem(fault)) is not None:
            told = failed.get(fault.id)
            problems.append(f"{sentence}: {told}" if told else sentence)
        elif fault.id in let_go:
            problems.append(f"fault {fault.id} ({fault.kind} at {fault.at}) did not hold: {failed[fault.id]}")
    return problems + _by_hand(reading)


def _by_hand(reading: Reading) -> list[str]:
    """A run that a person had a hand on is not what its plan says: it proves nothing about the plan."""
    return [
        f"a hand was on the run: {e.subject} {e.data.get('what', '')}".rstrip() + "; run again without"
        for e in reading.journal
        if e.event is Event.HAND and e.subject in {"fault.add", "fault.clear"} and e.data.get("done") is True
    ]


def _fault_problem(fault: FaultRecord) -> str | None:
    name = f"fault {fault.id} ({fault.kind} at {fault.at})"
    if fault.requested_ns is None:
        return f"{name} was never fired"
    if fault.confirmed_ns is None:
        return f"{name} was requested and never confirmed"
    if fault.expects_action and (fault.acted is None or fault.acted.count == 0):
        return f"{name} never acted on anything: does the target's traffic really go through {fault.at}?"
    if fault.cleared_ns is None:
        return f"{name} was never cleared"
    if fault.proved_clear_ns is None:
        return f"{name} was never proved clear, so nothing says when the service could recover"
    return None


def in_one_sentence(problems: Sequence[str]) -> str:
    """Return the gravest problem, and how many more there are."""
    rest = len(problems) - 1
    return problems[0] + (f" (and {rest} more)" if rest > 0 else "")
