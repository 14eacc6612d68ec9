"""Were as many let through as were left, by the samples of the whole load? And does who is refused hear the truth about it?

A request is counted somewhere between its start and the first byte of its answer. Where the window was filled in between, or
ended, it may have been counted in it or in another one. So there are two numbers: who was surely let through out of it, and
who may have been. The limit is kept where the first is not above what was left, and nobody was refused before the second had
come to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.checks.evidence import (
    MOST_EVIDENCE,
    action_of,
    answered,
    begun_ns_of,
    evidence_of,
    judgement,
    records_of,
    told_of,
    undone,
)
from harness.checks.expectations import is_good, is_typed
from harness.checks.global_limit.planning import AGAIN, FILL, PLANNER, REFUSED
from harness.checks.planned import MS, S
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.measure.requests import Floats, Mask
from harness.model.judgement import Evidence, Judgement, Status, Test
from harness.model.outcome import Refusal, Result
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord

TOO_MANY = 429
NOT_COUNTED = (401, TOO_MANY)
"""Who is nobody's user is turned away before anything is counted."""
INSTANCES = 2
"""So many must be seen to refuse: one alone shares its count with nobody."""
_TYPED = is_typed(TOO_MANY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The window, nanoseconds from the run's zero: it was filled between the first two moments and ended between the others."""

    filling_ns: int
    filled_ns: int
    ending_ns: int
    ended_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What the check asks for: `limit` requests of a window of `window_s`, of which `left` are left when it is filled."""

    limit: int
    left: int
    window_s: int


def judge_global_limit(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether the limit of all users is exact, shared, truly told of and over in time. Raises RunDirectoryError."""
    values = complete(PLANNER.settings, check.settings)
    promise = Promise(**{name: int(values[name]) for name in ("limit", "left", "window_s")})
    judged = _judged(reading, check, promise)
    return replace(judged, reason=f"global limit: {judged.reason}", written=f"global limit of {promise.limit}")


def _judged(reading: Reading, check: PlannedCheck, promise: Promise) -> Judgement:
    if (why := undone(reading, check, FILL)) is not None:
        return judgement(check, Status.INCONCLUSIVE, why)
    entry, filling_ns = action_of(reading, check, FILL), begun_ns_of(reading, check, FILL)
    if entry is None or entry.t_ns is None or filling_ns is None:
        return judgement(check, Status.INCONCLUSIVE, "the journal does not say when the window was filled")
    if "window_ms" not in entry.data:
        return judgement(check, Status.INCONCLUSIVE, "nothing says for how long the window that was filled went on")
    window_ms = entry.data["window_ms"]
    if not isinstance(window_ms, int):
        return _never_begun(reading, check, filling_ns, entry.t_ns)
    took_ms = -(-(entry.t_ns - filling_ns) // MS)
    if not promise.window_s * 1000 - took_ms - 1000 <= window_ms <= promise.window_s * 1000:
        told = "never ends" if window_ms < 0 else f"goes on for {window_ms / 1e3:.1f} s after it had begun"
        return judgement(check, Status.FAIL, f"a window of all users {told}; one of {promise.window_s} s is promised")
    window = Window(
        filling_ns=filling_ns,
        filled_ns=entry.t_ns,
        ending_ns=filling_ns + window_ms * MS,
        ended_ns=entry.t_ns + (window_ms + 1) * MS,
    )
    return _counted(reading, check, promise, window)


def _never_begun(reading: Reading, check: PlannedCheck, filling_ns: int, given_up_ns: int) -> Judgement:
    """Return what it means that the store counted nobody while the action waited for a window."""
    requests = reading.requests
    unseen = requests.answered & (requests.started_ns >= filling_ns) & (requests.ended_ns <= given_up_ns)
    if not (n := int(np.count_nonzero(unseen))):
        return judgement(check, Status.INCONCLUSIVE, "no request began a window, so there was none to fill")
    reason = f"{n} requests were let through while the store counted none: instances share no count of all users' requests"
    return judgement(check, Status.FAIL, reason, evidence=_requests(reading, unseen))


def _counted(reading: Reading, check: PlannedCheck, promise: Promise, window: Window) -> Judgement:
    requests = reading.requests
    wholly_in = (requests.started_ns >= window.filled_ns) & (_counted_by_ns(reading) <= window.ending_ns)
    surely, refused = requests.answered & wholly_in, _turned_away(reading) & wholly_in
    probes = [record for record in reading.run.probes() if record.method == "POST" and record.started_ns is not None]
    chat = {record.path for mine in records_of(reading, check).values() for record in mine}
    n = int(np.count_nonzero(surely)) + sum(
        is_good(record) and record.path in chat and _within(record, window.filled_ns, window.ending_ns) for record in probes
    )
    sent_away = int(np.count_nonzero(refused))
    test = Test(quantity="let_through", op="<=", limit=float(promise.left), value=float(n), n=n + sent_away)
    told = f"of the {promise.left} that were left, {n} requests were let through"
    if n > promise.left:
        evidence = _requests(reading, surely)
        return judgement(check, Status.FAIL, f"{told}: the limit of {promise.limit} was passed", test=test, evidence=evidence)
    records = records_of(reading, check)
    full = [record for number in range(REFUSED) for record in records.get(f"refused-{number}", [])]
    full = [record for record in full if record.started_ns is not None and _within(record, window.filled_ns, window.ending_ns)]
    wrong = [(why, record) for record in full if (why := _untrue(record, promise, window)) is not None]
    kept_out = [record for record in answered(full) if record.status_code == TOO_MANY]
    again = [record for number in range(AGAIN) for record in records.get(f"again-{number}", [])]
    again = [record for record in answered(again) if record.started_ns is not None and record.started_ns > window.ended_ns]
    wrong += [("who asks when the window is over is still refused", r) for r in again if r.status_code == TOO_MANY]
    if wrong:
        why, record = wrong[0]
        rest = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        evidence = tuple(evidence_of(each) for _, each in wrong[:MOST_EVIDENCE])
        return judgement(check, Status.FAIL, f"{why}: {told_of(record)}{rest}", test=test, evidence=evidence)
    most = _most(reading, probes, window, until_ns=min((r.ended_ns or 0 for r in kept_out), default=window.ended_ns))
    if kept_out and most < promise.left:
        reason = f"{told}, {most} at most, and the next was refused: {promise.left - most} of the limit were never given"
        return judgement(check, Status.FAIL, reason, test=test, evidence=(evidence_of(kept_out[0]),))
    if (unseen := _unseen(full, kept_out, again)) is not None:
        return judgement(check, Status.INCONCLUSIVE, f"{told}; {unseen}", test=test)
    names = sorted({str(record.instance) for record in kept_out})
    reason = (
        f"{told} for sure and {most} at most, what was under way at its edges, and {sent_away} were refused; "
        f"instances {', '.join(names)} say truly for how long, and answer when the window is over"
    )
    return judgement(check, Status.PASS, reason, test=test)


def _most(reading: Reading, probes: Sequence[ProbeRecord], window: Window, *, until_ns: int) -> int:
    """Return how many may have been counted in the window until a moment, whatever became of them after that."""
    may = ~_turned_away(reading) & (_counted_by_ns(reading) >= window.filling_ns) & (reading.requests.started_ns <= until_ns)
    asked = [r for r in probes if r.status_code not in NOT_COUNTED and r.started_ns is not None and r.started_ns <= until_ns]
    return int(np.count_nonzero(may)) + sum(r.ended_ns is None or r.ended_ns >= window.filling_ns for r in asked)


def _counted_by_ns(reading: Reading) -> Floats:
    """Return when each request had been counted at the latest; +infinity for one that never heard anything."""
    heard_ns = reading.requests.columns.floats("first_byte_ns")
    by_ns = np.where(np.isnan(heard_ns), reading.requests.ended_ns, heard_ns)
    return np.where(np.isnan(by_ns), np.inf, by_ns)


def _turned_away(reading: Reading) -> Mask:
    requests = reading.requests
    return requests.result.is_in([Result.REFUSED]) & requests.refusal.is_in([Refusal.RATE])


def _untrue(record: ProbeRecord, promise: Promise, window: Window) -> str | None:
    """Return what is wrong with what a refusal for the limit of all users says; None of any other answer."""
    if record.status_code != TOO_MANY:
        return None
    assert record.started_ns is not None
    assert record.ended_ns is not None
    limit, remaining, reset = (record.headers.get(f"x-ratelimit-{what}-requests", "") for what in ("limit", "remaining", "reset"))
    told = record.headers.get("retry-after", "")
    if not _TYPED(record):
        return "a refusal is no typed 429"
    if (limit, remaining) != (str(promise.limit), "0"):
        return (
            f"a refusal tells of a limit of {limit or 'none'} with {remaining or 'none'} left, not of all users' {promise.limit}"
        )
    if not told.isdigit() or told != reset:
        return f"a refusal says neither when to come back nor when the window ends: {told or 'nothing'}, {reset or 'nothing'}"
    # Whole seconds, rounded up, from a moment between the question and its answer.
    if record.ended_ns + int(told) * S < window.ending_ns:
        return f"who comes back after the {told} s that a refusal says is in the same window still"
    if record.started_ns + (int(told) - 1) * S > window.ended_ns:
        return f"a refusal says {told} s, and the window is over long before"
    return None


def _unseen(full: Sequence[ProbeRecord], kept_out: Sequence[ProbeRecord], again: Sequence[ProbeRecord]) -> str | None:
    """Return what nobody can say, for want of an answer; None where all of it was seen."""
    other = next((record for record in full if record.status_code != TOO_MANY), None)
    if other is not None:
        return f"whether the limit was reached cannot be told: {told_of(other)}"
    names = {record.instance for record in kept_out}
    if len(names) < INSTANCES:
        return f"{len(names)} instances were seen to refuse, and two must be to share a limit"
    back = {record.instance for record in again if is_good(record)}
    if missing := sorted(str(name) for name in names - back):
        return f"nobody was answered at instance {', '.join(missing)} after the window had ended"
    return None


def _within(record: ProbeRecord, from_ns: int, to_ns: int) -> bool:
    """Return whether an exchange was begun and over between two moments."""
    began = record.started_ns is not None and record.started_ns >= from_ns
    return began and record.ended_ns is not None and record.ended_ns <= to_ns


def _requests(reading: Reading, which: Mask) -> tuple[Evidence, ...]:
    return tuple(Evidence(kind="request", ref=str(seq)) for seq in reading.requests.seq[which][-MOST_EVIDENCE:])
