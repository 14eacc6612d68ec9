"""Packed rows to the columns of `SAMPLES_SCHEMA`: a chunk at a time, without a loop over its values."""

import enum
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.load.schedule import Schedule
from harness.model.error_kind import ErrorKind
from harness.model.outcome import Refusal, Result, Source

NO_INT64 = -(2**63)
NO_INT32 = -(2**31)

_FIELDS = (
    ("index", "q"),
    ("started_ns", "q"),
    ("pool_wait_ns", "q"),
    ("first_byte_ns", "q"),
    ("first_content_ns", "q"),
    ("last_content_ns", "q"),
    ("ended_ns", "q"),
    ("gap_p95_ns", "q"),
    ("gap_max_ns", "q"),
    ("text_digest", "q"),
    ("claimed_cost_usd", "d"),
    ("chunks", "i"),
    ("prompt_tokens", "i"),
    ("completion_tokens", "i"),
    ("status_code", "h"),
    ("cache", "h"),
    ("result", "b"),
    ("source", "b"),
    ("refusal", "b"),
    ("error_kind", "b"),
    ("expected", "b"),
    ("claimed_fallback", "b"),
)
ROW_FORMAT = "<" + "".join(kind for _, kind in _FIELDS)
ROW = np.dtype([(name, {"b": "i1", "h": "<i2", "i": "<i4", "q": "<i8", "d": "<f8"}[kind]) for name, kind in _FIELDS])
"""One packed row; the missing value of an integer is its lowest, of a code -1, of a float NaN."""

Numbers = npt.NDArray[Any]


class SampleColumns:
    """Makes the batches of one worker. codes: the number that stands for each member of the closed lists."""

    def __init__(self, schedule: Schedule, *, worker: int, id_prefix: str) -> None:
        self.codes: dict[enum.StrEnum, int] = {}
        self._closed: dict[str, pa.Array] = {}
        for name, members in (("result", Result), ("source", Source), ("refusal", Refusal), ("error_kind", ErrorKind)):
            self.codes.update({member: code for code, member in enumerate(members)})
            self._closed[name] = pa.array([member.value for member in members], pa.string())
        self._worker = worker
        self._id_prefix = id_prefix
        self._schedule = schedule
        self._known_requests = -1
        self._class_words, self._model_words = _Words(), _Words()
        self._principals, self._principal_words = _words(list(schedule.principals))
        self._phases, self._phase_words = _words(list(schedule.phases))

    def arrays(self, rows: Numbers, cache_words: Sequence[str]) -> list[pa.Array]:
        """Return the columns of one batch, in the order of `SAMPLES_SCHEMA`."""
        count = len(rows)
        index = rows["index"]
        schedule = self._schedule
        # Taken anew for each batch: a view that stays would keep the arrays of a closed loop from growing.
        seq = np.frombuffer(schedule.seq, dtype=np.int64)[index]
        request = np.frombuffer(schedule.request, dtype=np.int32)[index]
        intended_ns = np.frombuffer(schedule.intended_ns, dtype=np.int64)[index]
        self._learn_requests()
        started = rows["started_ns"] != NO_INT64
        return [
            pa.array(seq),
            _coded(self._classes[request], self._class_words.array()),
            _coded(self._principals[np.frombuffer(schedule.principal, dtype=np.int32)[index]], self._principal_words),
            _coded(self._models[request], self._model_words.array()),
            pa.array(self._streamed[request]),
            self._conversations(np.frombuffer(schedule.conversation, dtype=np.int64)[index]),
            _whole(np.frombuffer(schedule.turn, dtype=np.int32)[index], 0),
            _coded(self._phases[np.frombuffer(schedule.phase, dtype=np.int16)[index]], self._phase_words),
            _empty_lists(count),  # exposed_to
            pa.array(intended_ns),
            *(_whole(rows[name], NO_INT64) for name in ("started_ns", "pool_wait_ns", "first_byte_ns", "first_content_ns")),
            *(_whole(rows[name], NO_INT64) for name in ("last_content_ns", "ended_ns", "gap_p95_ns", "gap_max_ns")),
            _whole(rows["chunks"], NO_INT32),
            _whole(rows["status_code"], -1),
            *(_coded(rows[name], self._closed[name]) for name in ("result", "source", "refusal")),
            _truth(rows["expected"]),
            _coded(rows["error_kind"], self._closed["error_kind"]),
            _whole(rows["prompt_tokens"], NO_INT32),
            _whole(rows["completion_tokens"], NO_INT32),
            pa.array(np.ascontiguousarray(rows["claimed_cost_usd"]), mask=np.isnan(rows["claimed_cost_usd"])),
            pa.nulls(count, pa.float64()),  # metered_cost_usd
            _truth(rows["claimed_fallback"]),
            pa.nulls(count, pa.bool_()),  # metered_fallback
            _coded(rows["cache"], pa.array(cache_words, pa.string())),
            _empty_lists(count),  # call_ids
            self._request_ids(seq, started),
            pa.array(np.full(count, self._worker, dtype=np.int16)),
            _whole(rows["text_digest"], NO_INT64),
        ]

    def _learn_requests(self) -> None:
        """Take in the kinds of request that a closed loop has added. Words are only ever added to."""
        requests = self._schedule.requests
        if len(requests) == self._known_requests:
            return
        self._known_requests = len(requests)
        self._streamed = np.array([request.streamed for request in requests], dtype=bool)
        self._classes = self._class_words.codes([request.user_class.name for request in requests])
        self._models = self._model_words.codes([request.user_class.model for request in requests])

    def _conversations(self, first: Numbers) -> pa.Array:
        if not np.any(first >= 0):
            return pa.nulls(len(first), pa.string())
        prefix = self._id_prefix
        return pa.array([f"{prefix}{number}" if number >= 0 else None for number in first.tolist()], pa.string())

    def _request_ids(self, seq: Numbers, started: Numbers) -> pa.Array:
        prefix = self._id_prefix
        return pa.array(
            [f"{prefix}{number}" if sent else None for number, sent in zip(seq.tolist(), started.tolist(), strict=True)],
            pa.string(),
        )


class _Words:
    """The words of a column, in the order they were first seen."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def codes(self, names: Sequence[str | None]) -> npt.NDArray[np.int32]:
        """Return the code of each name, -1 for None."""
        codes = [-1 if name is None else self._places.setdefault(name, len(self._places)) for name in names]
        return np.array(codes, dtype=np.int32)

    def array(self) -> pa.Array:
        """Return the words that the codes stand for."""
        return pa.array(list(self._places), pa.string())


def _words(names: Sequence[str | None]) -> tuple[npt.NDArray[np.int32], pa.Array]:
    """Return a code for each name (-1 for None) and the words that the codes stand for."""
    words = list(dict.fromkeys(name for name in names if name is not None))
    places = {word: place for place, word in enumerate(words)}
    codes = np.array([-1 if name is None else places[name] for name in names], dtype=np.int32)
    return codes, pa.array(words, pa.string())


def _coded(codes: Numbers, words: pa.Array) -> pa.Array:
    wide = codes.astype(np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(wide, mask=wide < 0), words)


def _whole(values: Numbers, missing: int) -> pa.Array:
    return pa.array(np.ascontiguousarray(values), mask=values == missing)


def _truth(codes: Numbers) -> pa.Array:
    return pa.array(codes > 0, mask=codes < 0)


def _empty_lists(count: int) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(np.zeros(count + 1, dtype=np.int32)), pa.array([], pa.string()))
