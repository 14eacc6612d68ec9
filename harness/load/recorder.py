"""Samples while the run is going: packed rows in one buffer, turned into Arrow and written in chunks.

A row is 0.1 kB of plain bytes, so that a run of any length keeps no Python object a sample and the garbage collector
has nothing to walk. What is not on the disk yet is at most one chunk, about a second.
"""

import struct

import numpy as np

from harness.exchange import Outcome
from harness.load.columns import NO_INT32, NO_INT64, ROW, ROW_FORMAT, SampleColumns
from harness.load.schedule import Schedule
from harness.model.outcome import Refusal, Result
from harness.rundir.tables import StreamWriter

_PACK = struct.Struct(ROW_FORMAT)
_CACHE_WORDS = 256
_OTHER = "(other)"
_REFUSED = Result.REFUSED


class Recorder:
    """Records each arrival of a schedule once. Raises StorageError from `record`, `flush` and `close`."""

    def __init__(self, writer: StreamWriter, schedule: Schedule, *, worker: int, id_prefix: str, capacity: int = 8192) -> None:
        self._writer = writer
        self._schedule = schedule
        self._columns = SampleColumns(schedule, worker=worker, id_prefix=id_prefix)
        self._buffer = bytearray(capacity * _PACK.size)
        self._capacity = capacity
        self._count = 0
        self._cache_codes: dict[str, int] = {}
        self._codes = self._columns.codes

    def rehearse(self) -> None:
        """Make and write a batch to nowhere, before the start: the first one takes some thirty milliseconds, and all waits."""
        rows = np.zeros(min(len(self._schedule), 64), dtype=ROW)
        rows["cache"] = -1
        self._writer.rehearse(self._columns.arrays(rows, ()))

    def record(self, index: int, outcome: Outcome, *, started_ns: int | None = None, pool_wait_ns: int | None = None) -> None:
        """Take the row of the arrival at this place of the schedule. Moments count from the run's zero."""
        if self._count == self._capacity:
            self.flush()
        codes = self._codes
        _PACK.pack_into(
            self._buffer,
            self._count * _PACK.size,
            index,
            NO_INT64 if started_ns is None else started_ns,
            NO_INT64 if pool_wait_ns is None else pool_wait_ns,
            NO_INT64 if outcome.first_byte_ns is None else outcome.first_byte_ns,
            NO_INT64 if outcome.first_content_ns is None else outcome.first_content_ns,
            NO_INT64 if outcome.last_content_ns is None else outcome.last_content_ns,
            NO_INT64 if outcome.ended_ns is None else outcome.ended_ns,
            NO_INT64 if outcome.gap_p95_ns is None else outcome.gap_p95_ns,
            NO_INT64 if outcome.gap_max_ns is None else outcome.gap_max_ns,
            NO_INT64 if outcome.text_digest is None else outcome.text_digest,
            float("nan") if outcome.claimed_cost_usd is None else outcome.claimed_cost_usd,
            NO_INT32 if outcome.chunks is None else outcome.chunks,
            NO_INT32 if outcome.prompt_tokens is None else outcome.prompt_tokens,
            NO_INT32 if outcome.completion_tokens is None else outcome.completion_tokens,
            -1 if outcome.status_code is None else outcome.status_code,
            -1 if outcome.cache is None else self._cache_code(outcome.cache),
            codes[outcome.result],
            -1 if outcome.source is None else codes[outcome.source],
            -1 if outcome.refusal is None else codes[outcome.refusal],
            -1 if outcome.error_kind is None else codes[outcome.error_kind],
            -1 if outcome.result is not _REFUSED else self._is_expected(index, outcome),
            -1 if outcome.claimed_fallback is None else outcome.claimed_fallback,
        )
        self._count += 1

    @property
    def waiting(self) -> int:
        """How many rows are not on the disk yet."""
        return self._count

    def flush(self) -> None:
        """Put the rows so far on the disk."""
        if self._count:
            rows = np.frombuffer(self._buffer, dtype=ROW, count=self._count)
            self._count = 0
            self._writer.write_arrays(self._columns.arrays(rows, tuple(self._cache_codes)))

    def close(self) -> None:
        """Write what is left and end the stream."""
        self.flush()
        self._writer.close()

    def _is_expected(self, index: int, outcome: Outcome) -> bool:
        """A burst is there to exhaust a budget: being refused for it is what it is for."""
        return outcome.refusal is Refusal.BUDGET and bool(self._schedule.of_burst[index])

    def _cache_code(self, text: str) -> int:
        code = self._cache_codes.get(text)
        if code is None:
            if len(self._cache_codes) >= _CACHE_WORDS:  # a signal that points at something unique must not eat the memory
                text = _OTHER
            code = self._cache_codes.setdefault(text, len(self._cache_codes))
        return code
