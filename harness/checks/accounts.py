"""What a user's budget stands at, as a refusal says it: `spent` and `reserved` in the body of a 402.

A check asks for it with a question that is too dear (`too_dear.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.checks.evidence import answered
from harness.checks.expectations import error_of
from harness.checks.provider_calls import CallSeen
from harness.model.outcome import Refusal
from harness.model.probe import ProbeRecord

NANO_USD = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a refusal says of a user's budget, in dollars. None: it says no such thing."""

    record: ProbeRecord
    spent_usd: float | None
    held_usd: float | None

    @property
    def is_told(self) -> bool:
        """Return whether both are known."""
        return self.spent_usd is not None and self.held_usd is not None


def account_of(records: Sequence[ProbeRecord]) -> Account | None:
    """Return what the last refusal for the budget says; None where there was none."""
    refused = [record for record in answered(records) if record.refusal == Refusal.BUDGET.value]
    if not refused:
        return None
    error = error_of(refused[-1]) or {}
    return Account(record=refused[-1], spent_usd=_number(error.get("spent")), held_usd=_number(error.get("reserved")))


def billed_usd(calls: Sequence[CallSeen]) -> float:
    """Return what the provider billed for these calls."""
    return sum(call.cost_usd for call in calls)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
