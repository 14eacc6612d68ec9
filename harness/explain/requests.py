"""Single requests with everything that is on record about them."""

import json
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from harness.explain.spans import Spans, Where, spans_of
from harness.model.fault import FaultRecord
from harness.model.sample import Call
from harness.rundir import RunDirectory
from harness.rundir.exchanges import KeptExchange, kept_exchanges

MOST_LINES = 40
"""Log lines kept of one request: a retry loop may write thousands."""

_COLUMNS = ("seq", "user_class", "principal", "model", "streamed", "phase", "exposed_to", "intended_ns", "started_ns",
            "first_content_ns", "ended_ns", "status_code", "result", "source", "refusal", "error_kind", "metered_cost_usd",
            "call_ids", "request_id")  # fmt: skip
_TOLD_ELSEWHERE = frozenset(
    {"at", "ts", "time", "timestamp", "version", "request_id", "user", "tenant", "query", "prompt", "messages"}
)
_ID_CHARACTERS = re.compile(rb"[A-Za-z0-9._:-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of the target's logs that names the request. file: its name below `logs/`."""

    file: str
    number: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One request, joined. spans: None where it was never sent or never ended. calls: by the moment they came in.

    faults: those that stood at any time while it was under way. exchange: what was sent and came, keys masked, where it was kept.
    """

    seq: int
    request_id: str | None
    user_class: str
    phase: str
    streamed: bool
    model: str | None
    result: str
    source: str | None
    refusal: str | None
    error_kind: str | None
    status_code: int | None
    intended_ns: int
    started_ns: int | None
    first_content_ns: int | None
    ended_ns: int | None
    spans: Spans | None
    calls: tuple[Call, ...]
    faults: tuple[FaultRecord, ...]
    lines: tuple[LogLine, ...] = ()
    exchange: KeptExchange | None = None

    @property
    def where(self) -> Where:
        """Where most of its time went."""
        if self.started_ns is None:
            return Where.NEVER_SENT
        return Where.NEVER_ENDED if self.spans is None else self.spans.where


def join(
    run: RunDirectory, seqs: Collection[int], faults: Sequence[FaultRecord], *, with_logs: Collection[int]
) -> list[Explained]:
    """Return the requests of these numbers, in order. with_logs: those whose log lines and exchanges are looked for.

    Raises RunDirectoryError where the samples cannot be read.
    """
    samples = run.samples(_COLUMNS)
    rows = samples.filter(pc.is_in(samples["seq"], value_set=pa.array(sorted(seqs), pa.int64()))).sort_by("seq").to_pylist()
    calls = _calls(run, {call_id for row in rows for call_id in row["call_ids"] or ()})
    wanted = {str(row["request_id"]) for row in rows if row["request_id"] and row["seq"] in with_logs}
    lines = _lines(run, wanted)
    by_id = {fault.id: fault for fault in faults}
    kept = kept_exchanges(run.path, with_logs)
    return [_explained(row, calls, by_id, lines, kept.get(row["seq"])) for row in rows]


def seq_of_request_id(run: RunDirectory, request_id: str) -> int | None:
    """Return the number of the request that carried this id; None where none did."""
    samples = run.samples(("seq", "request_id"))
    found = samples.filter(pc.equal(samples["request_id"], request_id))["seq"]
    return int(found[0].as_py()) if len(found) else None


def _explained(
    row: Mapping[str, Any],
    calls: Mapping[str, Call],
    faults: Mapping[str, FaultRecord],
    lines: Mapping[str, list[LogLine]],
    exchange: KeptExchange | None,
) -> Explained:
    own = sorted((calls[call_id] for call_id in row["call_ids"] or () if call_id in calls), key=lambda call: call.received_ns)
    return Explained(
        seq=row["seq"],
        request_id=row["request_id"],
        user_class=row["user_class"],
        phase=row["phase"],
        streamed=row["streamed"],
        model=row["model"],
        result=row["result"],
        source=row["source"],
        refusal=row["refusal"],
        error_kind=row["error_kind"],
        status_code=row["status_code"],
        intended_ns=row["intended_ns"],
        started_ns=row["started_ns"],
        first_content_ns=row["first_content_ns"],
        ended_ns=row["ended_ns"],
        spans=spans_of(row["intended_ns"], row["started_ns"], row["ended_ns"], own),
        calls=tuple(own),
        faults=tuple(faults[fault_id] for fault_id in row["exposed_to"] or () if fault_id in faults),
        lines=tuple(lines.get(str(row["request_id"]), ())),
        exchange=exchange,
    )


def _calls(run: RunDirectory, ids: Collection[str]) -> dict[str, Call]:
    if not ids or not (run.path / "truth" / "calls.parquet").is_file():
        return {}
    table = run.calls()
    kept = table.filter(pc.is_in(table["call_id"], value_set=pa.array(sorted(ids)).cast(table["call_id"].type)))
    return {row["call_id"]: Call(**row) for row in kept.to_pylist()}


def _lines(run: RunDirectory, request_ids: Collection[str]) -> dict[str, list[LogLine]]:
    """Return the log lines that name each request: as a whole word, so that request 12 is not found in 123."""
    found: dict[str, list[LogLine]] = defaultdict(list)
    if not request_ids:
        return found
    wanted = {request_id.encode("utf-8", "surrogatepass"): request_id for request_id in request_ids}
    for path in sorted(run.logs.rglob("*")):
        if not path.is_file():
            continue
        with path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                for word in {word for word in _ID_CHARACTERS.findall(raw) if word in wanted}:
                    kept = found[wanted[word]]
                    if len(kept) < MOST_LINES:
                        kept.append(LogLine(file=str(path.relative_to(run.logs)), number=number, text=_told(raw)))
    return found


def _told(raw: bytes) -> str:
    """Return a line as text; of a JSON object what says something here: no nulls, not the prompt, nor who and which asked."""
    text = raw.decode("utf-8", "replace").rstrip("\r\n")
    try:
        entry = json.loads(text)
    except ValueError:
        return text
    if not isinstance(entry, dict):
        return text
    kept = {key: value for key, value in entry.items() if value is not None and key not in _TOLD_ELSEWHERE}
    return ", ".join(f"{key} {value}" for key, value in kept.items())
