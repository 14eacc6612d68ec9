"""What a report is made of, read from a run directory; what is not there is said, never guessed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from harness.errors import RunDirectoryError
from harness.model.journal import JournalEntry
from harness.model.judgement import Verdict
from harness.model.measurement import Summary
from harness.model.plan import Plan
from harness.rundir import RunDirectory, codec

T = TypeVar("T")

_INT, _FLOAT, _TEXT, _BOOL = pa.int64(), pa.float64(), pa.string(), pa.bool_()

COUNTS = ("intended", "sent", "answered", "refused", "shed", "error", "timeout", "malformed", "cancelled", "unsent")
SOURCES = ("primary", "secondary", "cache", "stale_cache", "canned", "rule")

TIMELINE_SCHEMA = pa.schema(
    [("t_s", _FLOAT), ("phase", _TEXT)]
    + [(name, _INT) for name in (*COUNTS, *SOURCES)]
    + [(f"response_p{p}_s", _FLOAT) for p in (50, 95, 99)]
    + [(name, _FLOAT) for name in ("spend_usd", "lag_p99_ms", "loop_lag_p99_ms", "cpu_ratio")]
)
REQUESTS_SCHEMA = pa.schema(
    [("seq", _INT)]
    + [(name, _TEXT) for name in ("phase", "user_class", "principal", "model")]
    + [("streamed", _BOOL), ("exposed", _BOOL)]
    + [(name, _FLOAT) for name in ("intended_s", "response_s", "service_s", "ttft_s", "lag_ms")]
    + [(name, _TEXT) for name in ("result", "source", "refusal", "error_kind")]
    + [("expected", _BOOL), ("status_code", _INT), ("bad", _BOOL), ("provider_s", _FLOAT), ("calls", _INT), ("request_id", _TEXT)]
)
CDF_SCHEMA = pa.schema([("permille", _INT), ("response_s", _FLOAT), ("service_s", _FLOAT)])
HEAT_SCHEMA = pa.schema([(name, _FLOAT) for name in ("from_s", "to_s", "took_from_s", "took_to_s")] + [("answers", _INT)])
GAPS_SCHEMA = pa.schema([("permille", _INT), ("seen_s", _FLOAT), ("longest_s", _FLOAT), ("sent_s", _FLOAT)])
BREAKERS_SCHEMA = pa.schema([("instance", _TEXT), ("endpoint", _TEXT), ("state", _TEXT), ("from_s", _FLOAT), ("to_s", _FLOAT)])
"""The columns that `harness.model.measurement` promises; here so that a foreign file is told apart from a right one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Everything that a run left behind for its reports; None is a part that is missing.

    missing: one sentence for each such part, for the reader. folder: where single exchanges can be looked up.
    """

    verdict: Verdict | None
    plan: Plan | None
    summary: Summary | None
    timeline: pa.Table | None
    requests: pa.Table | None
    cdf: pa.Table | None
    heat: pa.Table | None = None
    gaps: pa.Table | None = None
    breakers: pa.Table | None = None
    journal: Sequence[JournalEntry] = ()
    missing: tuple[str, ...] = ()
    folder: Path | None = None


def read_material(run: RunDirectory) -> Material:
    """Return what is there. Never raises for a part that is missing or damaged: it is told in `missing`."""
    reading = _Reading(run.path)
    folder = run.measurements

    def table(name: str, lost: str, schema: pa.Schema) -> pa.Table | None:
        return reading.part(f"measurements/{name}.parquet", lost, lambda: _read_table(folder / f"{name}.parquet", schema))

    return Material(
        verdict=reading.part("verdict.json", "the run was not judged", run.verdict),
        plan=reading.part("plan.json", "what was planned cannot be told", run.read_plan),
        summary=reading.part(
            "measurements/summary.json",
            "phases, spend and recovery have no figures",
            lambda: codec.read_json(folder / "summary.json", Summary),
        ),
        timeline=table("timeline", "there is no plot over time", TIMELINE_SCHEMA),
        requests=table("requests", "single requests cannot be listed", REQUESTS_SCHEMA),
        cdf=table("cdf", "there is no latency distribution", CDF_SCHEMA),
        heat=table("heat", "there is no heat map", HEAT_SCHEMA),
        gaps=table("gaps", "the gaps between tokens are not drawn", GAPS_SCHEMA),
        breakers=table("breakers", "the states of circuits are not drawn", BREAKERS_SCHEMA),
        journal=reading.part("journal.jsonl", "what happened when cannot be told", run.journal) or (),
        missing=tuple(reading.missing),
        folder=run.path,
    )


class _Reading:
    """Reads part by part and notes what could not be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.missing: list[str] = []

    def part(self, name: str, lost: str, read: Callable[[], T]) -> T | None:
        """Return what `read` returns; None and a note of what is lost where it is missing or damaged."""
        if not (self._path / name).is_file():
            self.missing.append(f"{name} is missing: {lost}.")
            return None
        try:
            return read()
        except RunDirectoryError as error:
            told = error.message.removeprefix(str(self._path / name)).lstrip(": ")
            self.missing.append(f"{name} cannot be read ({told}): {lost}.")
            return None


def _read_table(path: Path, schema: pa.Schema) -> pa.Table:
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise RunDirectoryError(f"{path}: damaged: {error}") from error
    absent = [name for name in schema.names if name not in table.column_names]
    if absent:
        raise RunDirectoryError(f"{path}: it has no column {', '.join(absent)}")
    try:
        return table.select(schema.names).cast(schema)
    except pa.ArrowException as error:
        raise RunDirectoryError(f"{path}: {error}") from error
