"""The words and signs of a readiness document, the same in every form."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.model.judgement import Status
from harness.model.readiness import Decision, Readiness, RowStatus
from harness.report.numbers import plural


@dataclass(frozen=True, slots=True)
class RowLook:
    """How a row or a decision looks: word, symbol and whose colours it takes; meaning is one plain clause."""

    word: str
    symbol: str
    tone: Status
    meaning: str

    @property
    def css_class(self) -> str:
        """The class that carries the colour."""
        return self.tone.value

    @property
    def key(self) -> str:
        """The word as a name: `not-proven`."""
        return self.word.lower().replace(" ", "-")


ROWS: Mapping[RowStatus, RowLook] = {
    RowStatus.VERIFIED: RowLook("VERIFIED", "✓", Status.PASS, "every result that it asks for passed"),
    RowStatus.FAILED: RowLook("FAILED", "✗", Status.FAIL, "at least one result failed"),
    RowStatus.NOT_PROVEN: RowLook("NOT PROVEN", "?", Status.INCONCLUSIVE, "it could be shown, and was not"),
    RowStatus.NOT_COVERED: RowLook("NOT COVERED", "○", Status.NOT_APPLICABLE, "nothing in the checklist could show it"),
    RowStatus.WAIVED: RowLook("WAIVED", "~", Status.WARN, "set aside by a named owner until a date"),
    RowStatus.ATTESTED: RowLook("ATTESTED", "✎", Status.WAIVED, "a named owner vouches for it until a date; nothing verified it"),
    RowStatus.NOT_APPLICABLE: RowLook("NOT APPLICABLE", "–", Status.NOT_APPLICABLE, "does not apply, says a named owner"),
}

DECISIONS: Mapping[Decision, RowLook] = {
    Decision.READY: RowLook("READY", "✓", Status.PASS, "every required row is verified, attested, waived or does not apply"),
    Decision.NOT_READY: RowLook("NOT READY", "✗", Status.FAIL, "at least one row failed"),
    Decision.NOT_PROVEN: RowLook(
        "NOT PROVEN", "?", Status.INCONCLUSIVE, "no row failed, but the evidence is not enough to say ready"
    ),
}


def counts(readiness: Readiness, *, required: bool | None = None) -> dict[RowStatus, int]:
    """Return how many rows have each status, without zeros, in the order of `ROWS`."""
    rows = [row for row in readiness.rows if required is None or row.required is required]
    found = {status: sum(row.status is status for row in rows) for status in ROWS}
    return {status: number for status, number in found.items() if number}


def headline(readiness: Readiness) -> str:
    """Return the counts in one line: `3 verified, 1 failed, 36 not covered of 40 rows`."""
    parts = [f"{number} {status.value}" for status, number in counts(readiness).items()]
    return f"{', '.join(parts)} of {plural(len(readiness.rows), 'row')}"


def attempts_text(attempts: int | None) -> str:
    """Return a count of attempts; an unknown one is said to be unknown."""
    return "attempts unknown" if attempts is None else plural(attempts, "attempt")


def who_may_sign(readiness: Readiness) -> str:
    """Return who may sign, in a sentence."""
    if readiness.signers:
        return f"May be signed by {', '.join(readiness.signers)}."
    return "The checklist names no signers: anybody may sign, by name."
