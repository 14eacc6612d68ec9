"""Was each message that was taken answered, once, for the price of one call? By its answer and the provider's records."""

import re
from collections import Counter

import numpy as np

from harness.checks.evidence import answered, calls_of, evidence_of, judgement, records_of
from harness.checks.expectations import is_good, json_of
from harness.checks.messages_once.planning import PLANNER
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Shown, Status, Test
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord

AT_ONCE_NS = 2_000_000_000
GONE = 404
RECEIVED = "receiver.log"
_DELIVERED = re.compile(r'"event": "delivered", "id": "([^"]+)"')


def judge_messages_once(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether messages are answered exactly once. Raises RunDirectoryError."""
    messages = int(complete(PLANNER.settings, check.settings)["messages"])
    records = records_of(reading, check)
    problems: list[tuple[str, ProbeRecord]] = []
    unseen: list[str] = []
    taken: list[ProbeRecord] = []
    took: list[float] = []
    for n in range(messages):
        sent = next(iter(answered(records.get(f"send-{n}", []))), None)
        if sent is None or not is_good(sent):
            unseen.append(f"message {n} was not taken")
            continue
        taken.append(sent)
        assert sent.ended_ns is not None
        assert sent.started_ns is not None
        if sent.ended_ns - sent.started_ns > AT_ONCE_NS:
            problems.append((f"message {n} was taken after {(sent.ended_ns - sent.started_ns) / 1e9:.1f} s, not at once", sent))
        problems += [
            (f"message {n}, sent again with its idempotency key, became another message", again)
            for again in answered(records.get(f"again-{n}", []))
            if is_good(again) and _field(again, "id") != _field(sent, "id")
        ]
        fetched = [r for r in answered(records.get(f"fetch-{n}", [])) if is_good(r)]
        finished = [r for r in fetched if _field(r, "status") in ("done", "failed")]
        if finished and _field(finished[0], "status") == "done":
            took.append(((finished[0].ended_ns or 0) - sent.ended_ns) / 1e9)
        elif finished:
            problems.append((f"message {n} was given up (`failed`)", finished[0]))
        elif (last := next(iter(records.get(f"fetch-{n}", [])[::-1]), None)) is not None and last.status_code == GONE:
            problems.append((f"message {n} was taken, and nobody knows it any more", last))
        elif last is not None and is_good(last):  # who was turned away before could look when it mattered
            problems.append((f"message {n} was taken and has no answer in time", last))
        else:
            unseen.append(f"nobody could see what became of message {n}")
    paid = calls_of(
        reading,
        [record.request_id for record in taken] + [r.request_id for n in range(messages) for r in records.get(f"again-{n}", [])],
    )
    problems += [
        (f"one message caused {paid[record.request_id]} calls at the provider", record)
        for record in taken
        if paid.get(record.request_id, 0) > 1
    ]
    if (delivered := _deliveries(reading)) is not None:
        problems += [
            (f"the answer to one message was delivered {delivered[str(_field(record, 'id'))]} times", record)
            for record in taken
            if delivered[str(_field(record, "id"))] != 1
        ]
    test = Test(quantity="messages_not_once", op="<=", limit=0.0, value=float(len(problems)), n=len(taken), bad=len(problems))
    shown = Shown(quantity="median time to an answer", unit="s", value=float(np.median(took)) if took else None)
    if problems:
        text, record = problems[0]
        rest = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return judgement(check, Status.FAIL, f"{text}{rest}", test=test, shown=shown, evidence=(evidence_of(record),))
    if unseen or not taken:
        return judgement(check, Status.INCONCLUSIVE, unseen[0] if unseen else "no message was sent", test=test, shown=shown)
    if reading.calls is None:
        reason = "the provider's records are missing, so nothing says how often each message was paid for"
        return judgement(check, Status.INCONCLUSIVE, reason, test=test, shown=shown)
    reason = f"{len(taken)} messages, each sent twice, were taken at once, answered once and paid for at most once"
    return judgement(check, Status.PASS, reason, test=test, shown=shown)


def _deliveries(reading: Reading) -> Counter[str] | None:
    """Return how often each message's answer came to the receiver of the stack; None where it has none.

    After a kill between a receiver's thanks and the note of it an answer comes again, as it must: nothing is counted then.
    """
    log = reading.run.logs / RECEIVED
    if not log.is_file() or any(fault.at == "processes.worker" for fault in reading.plan.faults):
        return None
    return Counter(_DELIVERED.findall(log.read_text(encoding="utf-8", errors="replace")))


def _field(record: ProbeRecord, name: str) -> object:
    body = json_of(record)
    return body.get(name) if isinstance(body, dict) else None
