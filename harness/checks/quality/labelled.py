"""Each golden question with what came of it: what the service took it for, what it was shown, and whether that is right."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.checks.evidence import records_of
from harness.checks.expectations import is_good, value_at
from harness.checks.log_lines import lines_by_request
from harness.checks.quality.golden import GOLDEN, Golden
from harness.measure.reading import Reading
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord

PROVIDER = "x-gateway-provider"
BY_RULE = ("greeting", "escalation", "feedback")


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One question that was asked. intent: what the service's log says that it was taken for; None where no line says so.

    first: the document that came first, None for none.
    """

    golden: Golden
    record: ProbeRecord
    intent: str | None
    first: str | None

    @property
    def is_answered(self) -> bool:
        """Return whether a whole answer came."""
        return is_good(self.record) and self.record.result == "answered"

    def satisfies(self, within_ns: int) -> bool:
        """Return whether a reader got what the labels say, in time: by the right workflow, from the right document."""
        started, ended = self.record.started_ns, self.record.ended_ns
        in_time = started is not None and ended is not None and ended - started <= within_ns
        by_rule = self.record.headers.get(PROVIDER) == "rule"
        return (
            self.is_answered
            and in_time
            and by_rule == (self.golden.intent in BY_RULE)
            and self.intent == self.golden.intent
            and (self.golden.document is None or self.first == self.golden.document)
        )


def labelled(reading: Reading, check: PlannedCheck) -> list[Labelled]:
    """Return the questions that were sent. Raises RunDirectoryError."""
    records = records_of(reading, check)
    asked = [(golden, record) for n, golden in enumerate(GOLDEN) for record in records.get(f"golden-{n}", [])[-1:]]
    asked = [(golden, record) for golden, record in asked if record.started_ns is not None]
    intents = _intents(reading.run.logs, {record.request_id for _, record in asked})
    return [
        Labelled(
            golden=golden,
            record=record,
            intent=intents.get(record.request_id),
            first=_text(value_at(record, "gateway", "sources", 0, "id")),
        )
        for golden, record in asked
    ]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _intents(logs: Path, request_ids: set[str]) -> Mapping[str, str]:
    """Return what requests were taken for, by the last line that says so of each."""
    return {
        request_id: intent
        for request_id, lines in lines_by_request(logs, request_ids, "request_id").items()
        for line in lines
        if isinstance(intent := line.fields.get("intent"), str)
    }
