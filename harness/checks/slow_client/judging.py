"""Was every body and every head that did not come given up in time, and was whoever asked meanwhile answered?"""

from collections.abc import Callable
from dataclasses import dataclass

from harness.checks.evidence import MOST_EVIDENCE, evidence_of, judgement, records_of, told_of
from harness.checks.expectations import is_good, is_status, is_typed
from harness.checks.settings import complete
from harness.checks.slow_client.planning import BESIDE, PLANNER, SLOW, SLOW_HEADS
from harness.measure.reading import Reading
from harness.model.error_kind import ErrorKind
from harness.model.judgement import Judgement, Shown, Status, Test
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord
from harness.model.units import format_duration, parse_duration_ns

CLOSED = (ErrorKind.RESET, ErrorKind.EOF_BEFORE_HEADERS)
WAITED = (ErrorKind.FIRST_BYTE_TIMEOUT, ErrorKind.BODY_TIMEOUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What of a request comes too slowly. holds: of an answer to it, where there is one; must: what that is."""

    name: str
    prefix: str
    count: int
    must: str
    holds: Callable[[ProbeRecord], bool]


PARTS = (
    _Part(name="body", prefix="slow", count=SLOW, must="refused with a typed 408", holds=is_typed(408)),
    # Of half a head nobody can tell what was asked for, or by whom: a server's own few words will do.
    _Part(name="head", prefix="slow-head", count=SLOW_HEADS, must="refused with a 408 or a 400", holds=is_status(400, 408)),
)


def judge_slow_client(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether slow clients were let go and others served. Raises RunDirectoryError."""
    within_ns = parse_duration_ns(complete(PLANNER.settings, check.settings)["within"])
    records = records_of(reading, check)
    problems: list[tuple[str, ProbeRecord]] = []
    unseen: list[str] = []
    longest_ns: dict[str, int] = {}
    for part in PARTS:
        for n in range(part.count):
            record = next(iter(records.get(f"{part.prefix}-{n}", [])), None)
            if record is None or record.started_ns is None or record.ended_ns is None or not _met_anybody(record):
                unseen.append(f"{part.prefix}-{n} was never sent" if record is None else told_of(record))
                continue
            took_ns = record.ended_ns - record.started_ns
            longest_ns[part.name] = max(longest_ns.get(part.name, 0), took_ns)
            if (wrong := _wrong(part, record, took_ns, within_ns)) is not None:
                problems.append((f"a {part.name} that did not come {wrong}", record))
    for name, count, text in (
        ("unhurried", 1, "who took a second over the body was not answered"),
        ("unhurried-head", 1, "who took a second over the head was not answered"),
        ("beside", BESIDE, "who asked beside the slow ones was not answered"),
    ):
        mine = [record for record in records.get(name, []) if record.started_ns is not None]
        # A 503 or no answer is no excuse here: it is what a service gives that the slow ones have filled.
        problems += [(text, record) for record in mine if not is_good(record)]
        if len(mine) < count:
            unseen.append(f"only {len(mine)} of {count} of {name} were sent")
    asked = SLOW + SLOW_HEADS + 2 + BESIDE
    test = Test(quantity="broken_promises", op="<=", limit=0.0, value=float(len(problems)), n=asked, bad=len(problems))
    longest_s = max(longest_ns.values(), default=0) / 1e9
    shown = Shown(quantity="longest wait for a request", unit="s", value=round(longest_s, 3)) if longest_ns else None
    if not longest_ns:
        reason = f"slow client: {unseen[0] if unseen else 'nothing slow was sent'}"
        return judgement(check, Status.INCONCLUSIVE, reason, test=test)
    if problems:
        text, record = problems[0]
        rest = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        evidence = tuple(evidence_of(each) for _, each in problems[:MOST_EVIDENCE])
        reason = f"slow client: {text}: {told_of(record)}{rest}"
        return judgement(check, Status.FAIL, reason, test=test, shown=shown, evidence=evidence)
    if unseen:
        return judgement(check, Status.INCONCLUSIVE, f"slow client: {unseen[0]}", test=test, shown=shown)
    reason = (
        f"{SLOW} clients whose bodies did not come were let go within {longest_ns['body'] / 1e9:.1f} s, {SLOW_HEADS} whose heads "
        f"did not within {longest_ns['head'] / 1e9:.1f} s, and all {BESIDE} who asked meanwhile were answered"
    )
    return judgement(check, Status.PASS, reason, test=test, shown=shown)


def _wrong(part: _Part, record: ProbeRecord, took_ns: int, within_ns: int) -> str | None:
    if record.status_code is None and record.error_kind not in CLOSED:
        return f"was still waited for after {format_duration(within_ns)}"
    if record.status_code is not None and not part.holds(record):
        return f"in time was not {part.must}"
    return f"was waited for longer than {format_duration(within_ns)}" if took_ns > within_ns else None


def _met_anybody(record: ProbeRecord) -> bool:
    """Return whether the service had a connection to wait on."""
    return record.status_code is not None or record.error_kind in CLOSED or record.error_kind in WAITED
