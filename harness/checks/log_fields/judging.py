"""Does the line of each request say all that is asked for, and the truth?"""

from collections.abc import Mapping, Sequence
from typing import TypeGuard

import numpy as np

from harness.checks.evidence import answered, judgement, records_of, undone
from harness.checks.expectations import error_of, is_good
from harness.checks.log_fields.planning import ANSWERED, FIELDS, PLANNER, REFUSED
from harness.checks.log_lines import Line, lines_by_request, lines_with_most
from harness.checks.provider_calls import CallSeen, calls_by_request
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.model.fault import Scalar
from harness.model.judgement import Evidence, Judgement, Status, Test
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord

MOST_LOOKED_AT = 5_000
"""Requests of the load whose lines are read; more say no more."""
CLOCK_MS = 50.0
"""How much longer a request may have taken by the service than by who asked: both look at a clock a moment apart."""


def judge_log_fields(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether every line has its fields, and right ones where others know them. Raises RunDirectoryError."""
    values = complete(PLANNER.settings, check.settings)
    names = {field: str(values[field]) for field in FIELDS}
    records = {name: answered(mine) for name, mine in records_of(reading, check).items()}
    if (why := undone(reading, check, "put-document")) is not None:
        return judgement(check, Status.INCONCLUSIVE, f"log fields: {why}")
    unasked = [name for name in (*ANSWERED, *REFUSED) if not records.get(name)]
    unasked += [name for name in ANSWERED if name not in unasked and not all(map(is_good, records[name]))]
    if unasked:
        return judgement(check, Status.INCONCLUSIVE, f"log fields: {unasked[0]} was not answered, so no line must tell of it")
    own = {record.request_id: record for mine in records.values() for record in mine}
    of_load = _ids_of_load(reading, check.phase)
    lines = lines_by_request(reading.run.logs, {*own, *of_load}, names["request_id"])
    if not lines:
        others = [name for field, name in names.items() if field != "request_id"]
        nameless = lines_with_most(reading.run.logs, others)
        if nameless:
            test = Test(quantity="lines_wrong", op="<=", limit=0.0, value=float(nameless), n=nameless, bad=nameless)
            reason = f"log fields: {nameless} lines tell of requests, and none carries the id of one ({names['request_id']!r})"
            return judgement(check, Status.FAIL, reason, test=test)
        return judgement(check, Status.INCONCLUSIVE, "log fields: no line of JSON tells of a request of this run")
    calls = calls_by_request(reading, [record.request_id for name in ANSWERED for record in records[name]])
    unbilled = [name for name in ANSWERED if not calls.get(records[name][-1].request_id)]
    if unbilled:
        reason = f"log fields: the provider recorded no call for {unbilled[0]}, so nobody knows its model and tokens"
        return judgement(check, Status.INCONCLUSIVE, reason)
    wrong: list[tuple[str, str]] = []
    for request_id in of_load:
        for line in lines.get(request_id, ())[:1]:  # that there is one is asked by the objective `logged share`
            wrong += [(f"a line has no {field} ({names[field]!r})", line.place) for field in _missing(line, names)[:1]]
    for name in (*ANSWERED, *REFUSED):
        record = records[name][-1]
        mine = [line for line in lines.get(record.request_id, ()) if not _missing(line, names)]
        if not mine:
            wrong.append((f"no line has every field of the request {name}", record.request_id))
            continue
        said = {field: mine[-1].fields[names[field]] for field in FIELDS}
        known = calls.get(record.request_id, [])
        problem = _of_answer(said, record, known, str(values["intent_is"])) if name in ANSWERED else _of_refusal(said, record)
        wrong += [(f"the line of {name} {problem}", mine[-1].place)] if problem is not None else []
    n = len(own) + sum(1 for request_id in of_load if request_id in lines)
    test = Test(quantity="lines_wrong", op="<=", limit=0.0, value=float(len(wrong)), n=n, bad=len(wrong))
    if wrong:
        rest = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        evidence = tuple(Evidence(kind="log", ref=place) for _, place in wrong[:5])
        return judgement(check, Status.FAIL, f"log fields: {wrong[0][0]}{rest}", test=test, evidence=evidence)
    reason = f"log fields: all {len(FIELDS)} stand in the lines of {n} requests, and are right where others know them"
    return judgement(check, Status.PASS, reason, test=test)


def _ids_of_load(reading: Reading, phase: str) -> Sequence[str]:
    rows = np.flatnonzero(reading.members[phase].eligible)[:MOST_LOOKED_AT]
    ids = reading.requests.columns.rows(["request_id"], rows)["request_id"].to_pylist()
    return [each for each in ids if each]


def _missing(line: Line, names: Mapping[str, str]) -> list[str]:
    return [field for field, name in names.items() if name not in line.fields]


def _of_answer(said: Mapping[str, object], record: ProbeRecord, calls: Sequence[CallSeen], intent: Scalar) -> str | None:
    """Return what is wrong with the line of an answer that a model gave; None where nothing is."""
    user, scores, tokens = said["user"], said["scores"], said["tokens"]
    billed = [call.prompt_tokens + call.completion_tokens for call in calls if call.ended == "completed"]
    asked = [call.model for call in calls]
    if not isinstance(user, str) or not user or (record.principal or "") in user:
        return f"says {user!r} as its user, which is not a masked name"
    if not said["time"] or not said["query"]:
        return "says neither when it was nor what was asked" if not said["time"] else "does not say what was asked"
    if said["intent"] != intent:
        return f"says {said['intent']!r} as its intent, and it is {intent!r}"
    if said["model"] not in asked:
        return f"says {said['model']!r} as its model; by the provider it was {' and '.join(sorted(set(asked)))}"
    if tokens not in billed:
        return f"says {tokens!r} tokens; the provider billed {', '.join(map(str, billed)) or 'none'}"
    if (problem := _of_time(said["latency"], record)) is not None:
        return problem
    if not isinstance(scores, list) or not scores or not all(_is_number(s) and 0 < s <= 1 for s in scores):
        return f"says {scores!r} as its similarities; a question about a document has some between 0 and 1"
    return f"says the error {said['error']!r} of a request that was answered" if said["error"] else None


def _of_refusal(said: Mapping[str, object], record: ProbeRecord) -> str | None:
    """Return what is wrong with the line of a request that was refused; None where nothing is."""
    told = error_of(record) or {}
    if said["error"] not in (told.get("type"), told.get("code")) or not said["error"]:
        return f"says {said['error']!r} as its error, and the answer said {told.get('type')!r}"
    if said["tokens"]:
        return f"says {said['tokens']!r} tokens of a request that no model saw"
    return _of_time(said["latency"], record)


def _of_time(latency_ms: object, record: ProbeRecord) -> str | None:
    took_ms = ((record.ended_ns or 0) - (record.started_ns or 0)) / 1e6
    if not _is_number(latency_ms) or not 0 < latency_ms <= took_ms + CLOCK_MS:
        return f"says {latency_ms!r} as its milliseconds; who asked waited {took_ms:.0f}"
    return None


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
