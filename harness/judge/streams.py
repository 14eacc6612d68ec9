"""How streams end whose call broke off at the provider, told apart: by another call, with an error, by a break, or as a lie.

A half answer that ends like a whole one is told by `stream integrity` too. Here also: text of a broken call that stands before
the answer of the next one, and text that comes twice. Both look whole to every client. Told by counts of content chunks, so
only of a target that passes chunks on one by one: where its whole streams have other counts, nothing is said of that.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import pyarrow.compute as pc

from harness.judge.integrity import BROKEN_BY
from harness.judge.wording import count
from harness.measure.columns import batches
from harness.measure.reading import Reading
from harness.model.error_kind import ErrorKind
from harness.model.judgement import Evidence, Judgement, Status, Test
from harness.model.objective import Kind, Severity
from harness.model.outcome import Result

ALIKE_RATIO = 0.9
"""The share of whole streams whose chunks must be the provider's before chunks tell anything."""
_MOST_EVIDENCE = 5
_MOST_BROKEN = 6

WHOLE, AGAIN, ERROR, BREAK = "whole", "whole by another call", "an error event", "a break"
HALF, SPLICED, TWICE = "half and passed for whole", "behind text of a broken call", "text that came twice"
_WRONG = (HALF, SPLICED, TWICE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """What the provider recorded of one call."""

    chunks: int
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stream:
    """One stream as the client saw it, with the calls behind it."""

    seq: int
    answered: bool
    error_kind: str | None
    chunks: int
    calls: tuple[_Sent, ...]


def judge_streams(reading: Reading) -> list[Judgement]:
    """Return one result of severity `warn`; none where no stream has a call behind it. Raises RunDirectoryError."""
    streams = list(_streams(reading))
    if not streams:
        return []
    plain = [stream for stream in streams if stream.answered and len(stream.calls) == 1 and stream.calls[0].whole]
    alike = sum(stream.chunks == stream.calls[0].chunks for stream in plain)
    counts_tell = bool(plain) and alike >= ALIKE_RATIO * len(plain)
    ends = [(stream.seq, end_of(stream, counts_tell=counts_tell)) for stream in streams]
    told = Counter(end for _, end in ends)
    wrong = [seq for seq, end in ends if end in _WRONG]
    broken = sum(any(not call.whole for call in stream.calls) for stream in streams)
    parts = [f"{told[end]:,} {end}" for end in (WHOLE, AGAIN, ERROR, BREAK, *_WRONG) if told[end]]
    reason = f"{count(len(streams), 'stream')}, {broken:,} with a call that broke off: {', '.join(parts)}"
    if not counts_tell:
        reason += "; its chunks are not the provider's, so nothing tells whether text came twice"
    status = Status.WARN if wrong else Status.PASS
    test = Test(quantity="wrong_streams", op="<=", limit=0.0, value=float(len(wrong)), n=len(streams), bad=len(wrong))
    return [
        Judgement(
            id="streams",
            kind=Kind.CHECK,
            severity=Severity.WARN,
            status=status,
            reason=reason,
            written="how its streams end",
            test=test,
            evidence=tuple(Evidence(kind="request", ref=str(seq)) for seq in wrong[:_MOST_EVIDENCE]),
        )
    ]


def end_of(stream: _Stream, *, counts_tell: bool) -> str:
    """Return how a stream ended, as the words that a person reads."""
    broken = [call.chunks for call in stream.calls if not call.whole]
    if not stream.answered:
        return ERROR if stream.error_kind == ErrorKind.ERROR_EVENT else BREAK
    wholes = [call.chunks for call in stream.calls if call.whole]
    if not wholes:
        return HALF
    if counts_tell and stream.chunks not in wholes:
        if stream.chunks in {whole + part for whole in wholes for part in _sums(broken)}:
            return SPLICED
        if stream.chunks > max(wholes):
            return TWICE
    return AGAIN if broken else WHOLE


def _sums(broken: Sequence[int]) -> set[int]:
    """Return what the chunks of one or more broken calls come to."""
    few = broken[:_MOST_BROKEN]
    return {sum(part) for size in range(1, len(few) + 1) for part in combinations(few, size)} - {0}


def _streams(reading: Reading) -> Iterator[_Stream]:
    sent = _calls(reading)
    columns = ["seq", "streamed", "result", "error_kind", "chunks", "call_ids"]
    for batch in batches(reading.run, "samples/samples.parquet", columns):
        joined = batch.filter(pc.and_(batch.column(1), pc.greater(pc.fill_null(pc.list_value_length(batch.column(5)), 0), 0)))
        for seq, _, result, error_kind, chunks, call_ids in zip(*(part.to_pylist() for part in joined.columns), strict=True):
            calls = tuple(sent[call] for call in call_ids if call in sent)
            if calls and result in (Result.ANSWERED, Result.MALFORMED, Result.ERROR, Result.TIMEOUT):
                answered = result == Result.ANSWERED
                yield _Stream(seq=seq, answered=answered, error_kind=error_kind, chunks=chunks or 0, calls=calls)


def _calls(reading: Reading) -> dict[str, _Sent]:
    found: dict[str, _Sent] = {}
    for batch in batches(reading.run, "truth/calls.parquet", ["call_id", "streamed", "chunks", "ended", "fault", "status_code"]):
        for call_id, _, chunks, ended, fault, _status in zip(*(part.to_pylist() for part in batch.columns), strict=True):
            if chunks or ended == "completed":
                broke = ended == "cut" or any(kind in BROKEN_BY for kind in (fault or "").split(","))
                found[call_id] = _Sent(chunks=chunks or 0, whole=ended == "completed" and not broke)
    return found
