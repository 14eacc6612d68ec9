"""Was a request lost while the instance ended, was it ready no more, did it end by itself in time, and was all booked?"""

from collections.abc import Mapping

import numpy as np

from harness.checks.accounts import NANO_USD, account_of, billed_usd
from harness.checks.drain.planning import PLANNER, SPENDING
from harness.checks.evidence import MOST_EVIDENCE, action_of, begun_ns_of, judgement, records_of, undone
from harness.checks.expectations import is_good
from harness.checks.provider_calls import calls_by_request
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.model.figures import dollars
from harness.model.journal import JournalEntry
from harness.model.judgement import Evidence, Judgement, Status, Test
from harness.model.outcome import Result
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord
from harness.model.units import format_duration, parse_duration_ns

LEAST = 20
SAYS_SO_NS = 300_000_000
"""How long after the signal readiness may still say yes."""
AFTERWARDS_NS = 2_000_000_000


def judge_drain(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether the instance left in good order. Raises RunDirectoryError."""
    values = complete(PLANNER.settings, check.settings)
    within_ns = parse_duration_ns(values["within"])
    if (why := undone(reading, check, "end", "start")) is not None:
        return judgement(check, Status.INCONCLUSIVE, f"drain: {why}")
    ended = action_of(reading, check, "end")
    begun_ns = begun_ns_of(reading, check, "end")
    if ended is None or ended.t_ns is None or begun_ns is None:
        return judgement(check, Status.INCONCLUSIVE, "drain: the journal does not say when the instance was told to end")
    code, took_ms = ended.data.get("exit_code"), ended.data.get("took_ms")
    requests = reading.requests
    over_ns = np.where(np.isnan(requests.ended_ns), np.inf, requests.ended_ns)
    touched = requests.mix & (over_ns >= begun_ns) & (requests.started_ns <= ended.t_ns + AFTERWARDS_NS)
    lost = touched & requests.result.is_in([Result.ERROR, Result.TIMEOUT, Result.MALFORMED])
    n, bad = int(np.count_nonzero(touched)), int(np.count_nonzero(lost))
    records = records_of(reading, check)
    still = [r for r in records.get("ready", []) if is_good(r) and begun_ns + SAYS_SO_NS < (r.started_ns or 0) < ended.t_ns]
    test = Test(quantity="lost", op="<=", limit=0.0, value=float(bad), n=n, bad=bad)
    evidence = tuple(Evidence(kind="request", ref=str(seq)) for seq in requests.seq[lost][:MOST_EVIDENCE])
    wrong = _wrong(bad, n, ended, still=len(still), within_ns=within_ns) or _unbooked(reading, records)
    if wrong is not None:
        return judgement(check, Status.FAIL, f"drain: {wrong}", test=test, evidence=evidence)
    if n < LEAST:
        return judgement(
            check, Status.INCONCLUSIVE, f"drain: only {n} requests were under way or sent; {LEAST} are needed", test=test
        )
    if not any(is_good(record) for record in records.get("before", [])):
        return judgement(check, Status.INCONCLUSIVE, "drain: the instance was not ready before it was told to end", test=test)
    if values["books"] and account_of(records.get("account", [])) is None:
        return judgement(check, Status.INCONCLUSIVE, "drain: nobody says what is booked of what the instance had sold", test=test)
    reason = f"the instance ended by itself (exit {code}) {took_ms} ms after its signal, and none of {n} requests was lost"
    return judgement(check, Status.PASS, reason, test=test)


def _wrong(lost: int, n: int, ended: JournalEntry, *, still: int, within_ns: int) -> str | None:
    code, took_ms = ended.data.get("exit_code"), ended.data.get("took_ms")
    if lost:
        return f"{lost} of {n} requests that were under way or sent while the instance ended were lost"
    if not isinstance(took_ms, int) or took_ms * 1_000_000 > within_ns:
        return f"the instance had not ended {format_duration(within_ns)} after its signal"
    if code != 0:
        return f"the instance ended with exit code {code}"
    if still:
        return f"the instance still called itself ready {still} times while it was ending"
    return None


def _unbooked(reading: Reading, records: Mapping[str, list[ProbeRecord]]) -> str | None:
    """Return what is not booked of what the instance had answered; None where nothing, or nobody tells."""
    account = account_of(records.get("account", []))
    if account is None or account.spent_usd is None:
        return None
    spent = [record for n in range(SPENDING) for record in records.get(f"spent-{n}", []) if is_good(record)]
    bills = calls_by_request(reading, [record.request_id for record in spent])
    billed = sum(billed_usd(mine) for mine in bills.values())
    if account.spent_usd + NANO_USD < billed:
        told = f"the provider billed {dollars(billed)} to a user of the instance that ended"
        return f"{told}, and {dollars(account.spent_usd, against=billed)} are booked"
    if account.held_usd is not None and account.held_usd > NANO_USD:
        return f"{dollars(account.held_usd)} are still held for a user of the instance that has ended"
    return None
