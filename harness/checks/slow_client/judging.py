"""Was every body that did not come given up in time, and was whoever asked meanwhile answered?"""

from harness.checks.evidence import MOST_EVIDENCE, evidence_of, judgement, records_of, told_of
from harness.checks.expectations import is_good, is_typed
from harness.checks.settings import complete
from harness.checks.slow_client.planning import BESIDE, PLANNER, SLOW
from harness.measure.reading import Reading
from harness.model.error_kind import ErrorKind
from harness.model.judgement import Judgement, Shown, Status, Test
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord
from harness.model.units import format_duration, parse_duration_ns

CLOSED = (ErrorKind.RESET, ErrorKind.EOF_BEFORE_HEADERS)
WAITED = (ErrorKind.FIRST_BYTE_TIMEOUT, ErrorKind.BODY_TIMEOUT)
SAYS_SO = is_typed(408)


def judge_slow_client(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether slow clients were let go and others served. Raises RunDirectoryError."""
    within_ns = parse_duration_ns(complete(PLANNER.settings, check.settings)["within"])
    records = records_of(reading, check)
    problems: list[tuple[str, ProbeRecord]] = []
    unseen: list[str] = []
    longest_ns = 0
    for n in range(SLOW):
        record = next(iter(records.get(f"slow-{n}", [])), None)
        if record is None or record.started_ns is None or record.ended_ns is None or not _met_anybody(record):
            unseen.append(f"slow-{n} was never sent" if record is None else told_of(record))
            continue
        took_ns = record.ended_ns - record.started_ns
        longest_ns = max(longest_ns, took_ns)
        if record.status_code is None and record.error_kind not in CLOSED:
            problems.append((f"a body that did not come was still waited for after {format_duration(within_ns)}", record))
        elif record.status_code is not None and not SAYS_SO(record):
            problems.append(("a body that did not come in time was not refused with a typed 408", record))
        elif took_ns > within_ns:
            problems.append((f"a body that did not come was waited for longer than {format_duration(within_ns)}", record))
    for name, count, text in (
        ("unhurried", 1, "who took a second over the body was not answered"),
        ("beside", BESIDE, "who asked beside the slow ones was not answered"),
    ):
        mine = [record for record in records.get(name, []) if record.started_ns is not None]
        # A 503 or no answer is no excuse here: it is what a service gives that the slow ones have filled.
        problems += [(text, record) for record in mine if not is_good(record)]
        if len(mine) < count:
            unseen.append(f"only {len(mine)} of {count} of {name} were sent")
    asked = SLOW + 1 + BESIDE
    test = Test(quantity="broken_promises", op="<=", limit=0.0, value=float(len(problems)), n=asked, bad=len(problems))
    shown = Shown(quantity="longest wait for a body", unit="s", value=round(longest_ns / 1e9, 3)) if longest_ns else None
    if not longest_ns:
        reason = f"slow client: {unseen[0] if unseen else 'no slow body was sent'}"
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
        f"{SLOW} clients whose bodies did not come were let go within {longest_ns / 1e9:.1f} s, "
        f"and all {BESIDE} who asked meanwhile were answered"
    )
    return judgement(check, Status.PASS, reason, test=test, shown=shown)


def _met_anybody(record: ProbeRecord) -> bool:
    """Return whether the service had a connection to wait on."""
    return record.status_code is not None or record.error_kind in CLOSED or record.error_kind in WAITED
