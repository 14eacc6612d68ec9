"""Was what the leavers left cancelled at the provider, booked at no less than it billed, and let go of?"""

from harness.checks.accounts import NANO_USD, Account, account_of, billed_usd
from harness.checks.evidence import MOST_EVIDENCE, evidence_of, judgement, records_of
from harness.checks.provider_calls import CallSeen, calls_by_request
from harness.checks.reservation_leak.planning import LEAVING
from harness.measure.reading import Reading
from harness.model.figures import dollars
from harness.model.judgement import Judgement, Status, Test
from harness.model.outcome import Result
from harness.model.plan import PlannedCheck

LEAST = 3
"""So many answers must have been left in the middle, and so many accounts read, for anything to be said."""


def judge_reservation_leak(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether an answer that was left is over: cancelled, booked, and nothing held for it. Raises RunDirectoryError."""
    records = records_of(reading, check)
    left = {
        n: record for n in range(LEAVING) for record in records.get(f"leaves-{n}", []) if record.result == Result.TIMEOUT.value
    }
    accounts = {n: account for n in left if (account := account_of(records.get(f"account-{n}", []))) is not None}
    bills = calls_by_request(reading, [record.request_id for record in left.values()])
    holding = [a for a in accounts.values() if a.held_usd is not None and a.held_usd > NANO_USD]
    short = [
        a
        for n, a in accounts.items()
        if a.spent_usd is not None
        and a.spent_usd + (a.held_usd or 0.0) + NANO_USD < billed_usd(bills.get(left[n].request_id, []))
    ]
    begun = [bill for mine in bills.values() for bill in mine]
    test = Test(
        quantity="accounts_wrong",
        op="<=",
        limit=0.0,
        value=float(len(holding) + len(short)),
        n=len(accounts),
        bad=len(holding) + len(short),
    )
    evidence = tuple(evidence_of(a.record) for a in (*holding, *short)[:MOST_EVIDENCE])
    if len(left) < LEAST:
        reason = f"only {len(left)} of {LEAVING} answers could be left in the middle, so nothing was put to the test"
        return judgement(check, Status.INCONCLUSIVE, reason, test=test)
    if holding:
        reason = (
            f"{len(holding)} of {len(accounts)} users who left an answer in the middle still have {dollars(holding[0].held_usd)} "
            "held seconds later: honest users are refused for money that nobody spends"
        )
        return judgement(check, Status.FAIL, reason, test=test, evidence=evidence)
    if short:
        reason = (
            f"{len(short)} of {len(accounts)} users who left an answer in the middle were booked {dollars(short[0].spent_usd)}, "
            "less than the provider billed for it: who always leaves has no budget"
        )
        return judgement(check, Status.FAIL, reason, test=test, evidence=evidence)
    if len(begun) >= LEAST and not any(bill.ended == "client_gone" for bill in begun):
        reason = f"the provider went on to the end of all {len(begun)} answers that nobody waited for any more, and billed them"
        return judgement(check, Status.FAIL, reason, test=test)
    return judgement(check, *_told(reading, accounts, begun), test=test)


def _told(reading: Reading, accounts: dict[int, Account], begun: list[CallSeen]) -> tuple[Status, str]:
    """Return what is to be said where nothing is wrong: that it is right, or why nobody knows."""
    said = [a for a in accounts.values() if a.is_told]
    if len(accounts) < LEAST:
        return Status.INCONCLUSIVE, f"only {len(accounts)} users were refused for their budget, so what is held stays unknown"
    if len(said) < LEAST:
        return Status.INCONCLUSIVE, "the refusal does not say what is `spent` and `reserved`, so what is held stays unknown"
    if reading.calls is None:
        return Status.INCONCLUSIVE, "the provider's records are missing, so nothing says what it billed for what was left"
    if len(begun) < LEAST:
        reason = (
            f"only {len(begun)} of the answers that were left had begun at the provider; {LEAST} are needed to see them cancelled"
        )
        return Status.INCONCLUSIVE, reason
    cancelled = sum(bill.ended == "client_gone" for bill in begun)
    return Status.PASS, (
        f"nothing is held for {len(said)} users who left an answer in the middle, each was booked no less than the provider "
        f"billed, and {cancelled} of {len(begun)} calls were cancelled"
    )
