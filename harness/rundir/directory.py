"""Where everything of a run lies, and how it is written and read.

plan.json journal.jsonl live.jsonl verdict.json manifest.json
samples/  worker-000.arrows while running, samples.parquet at the close
truth/    calls.parquet: what the provider recorded
logs/     one file a process of the target      exchanges/ masked bodies; probes.jsonl: what checks asked
metrics/  scrapes of the target                 measurements/ what plots are drawn from
verdicts/ 001.json and on   extensions.json: what plug-ins judged in the run
"""

import contextlib
import datetime
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import msgspec
import pyarrow as pa

from harness.errors import ConfigurationError, RunDirectoryError
from harness.model.journal import Event, JournalEntry
from harness.model.judgement import Recorded, Verdict
from harness.model.live import LiveLine
from harness.model.plan import Clock, Plan
from harness.model.probe import PROBES_SCHEMA, ProbeRecord
from harness.rundir import codec, tables
from harness.rundir.files import sha256_of, storage_errors, write_whole
from harness.rundir.schemas import CALLS_SCHEMA, SAMPLES_SCHEMA
from harness.rundir.scrapes import SCRAPES_SCHEMA, Scrape
from harness.rundir.writer import held, is_held

T = TypeVar("T")

MANIFEST_SCHEMA = "harness.manifest/1"
EXTENSIONS_NAME = "extensions.json"
"""What plug-ins judged in the run itself: nobody imports them again to judge it anew."""


class RunDirectory:
    """A run directory on disk. Safe to use from several threads of the control process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._clock: Clock | None = None
        self._journal_lock = threading.Lock()
        self.heard_by: Callable[[JournalEntry], None] | None = None
        """Whoever wants to hear each journal entry once it is on disk; must neither wait nor raise."""
        self._written_here = False

    @classmethod
    def create(cls, path: Path) -> "RunDirectory":
        """Make the directory; it must be absent or empty. Raises ConfigurationError or StorageError."""
        with storage_errors(path):
            if path.exists() and (not path.is_dir() or any(path.iterdir())):
                raise ConfigurationError(f"{path}: not an empty directory; --out takes an absent or empty one")
            for part in ("samples", "truth", "logs", "exchanges", "metrics", "measurements", "verdicts"):
                (path / part).mkdir(parents=True, exist_ok=True)
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> "RunDirectory":
        """Open what `create` made. Raises ConfigurationError where there is no plan, with the runs that are in it."""
        if not (path / "plan.json").is_file():
            within = sorted(place.parent.name for place in path.glob("*/plan.json"))
            advice = (
                f"there are runs in it; name one: {', '.join(within[:8])}{' ...' if len(within) > 8 else ''}" if within else None
            )
            raise ConfigurationError(f"{path}: not a run directory: it has no plan.json", advice=advice)
        return cls(path)

    @contextlib.contextmanager
    def written(self) -> Iterator[None]:
        """Be the one who writes the directory while the block runs, from before its plan to after its reports."""
        with held(self.path):
            self._written_here = True
            try:
                yield
            finally:
                self._written_here = False

    def must_be_over(self) -> None:
        """Raise RunDirectoryError where somebody else still writes the directory: what is half there would be taken for whole."""
        if not self._written_here and is_held(self.path):
            raise RunDirectoryError(
                f"{self.path}: its run is still going on", advice="wait for its end, or end it: harness ps, harness halt"
            )

    @property
    def logs(self) -> Path:
        """Where the processes of the target write."""
        return self.path / "logs"

    @property
    def measurements(self) -> Path:
        """What the measurements are kept in, for plots and drill-down."""
        return self.path / "measurements"

    # -- plan and clock ---------------------------------------------------------------------------------------------

    def write_plan(self, plan: Plan) -> None:
        """Write `plan.json`, replacing an earlier one: first without a clock, again once the zero is fixed."""
        write_whole(self.path / "plan.json", codec.to_pretty_json(plan))
        self._clock = plan.clock

    def read_plan(self) -> Plan:
        """Return the plan. Raises RunDirectoryError."""
        return codec.read_json(self.path / "plan.json", Plan)

    def plan_digest(self) -> str:
        """Return the sha256 of the plan without what differs from run to run (run id, creation, clock, target version)."""
        import hashlib

        plan = self.read_plan()
        target = replace(plan.target, version=None)
        fixed = replace(plan, run_id="", created_at="", clock=None, target=target, harness_version="")
        return hashlib.sha256(codec.to_json(fixed)).hexdigest()

    # -- journal ----------------------------------------------------------------------------------------------------

    def record(
        self, event: Event, subject: str | None = None, *, at_ns: int | None = None, **data: str | float | bool | None
    ) -> JournalEntry:
        """Append to the journal, on disk before this returns.

        at_ns: the moment from the run's zero; now if not given, None in the file while no zero is fixed.
        Raises StorageError.
        """
        if at_ns is None and self._clock is not None:
            at_ns = time.monotonic_ns() - self._clock.zero_monotonic_ns
        wall = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        entry = JournalEntry(event=event, wall=wall, t_ns=at_ns, subject=subject, data=data)
        path = self.path / "journal.jsonl"
        with self._journal_lock, storage_errors(path), path.open("ab") as file:
            file.write(codec.to_json(entry) + b"\n")
        if self.heard_by is not None:
            self.heard_by(entry)
        return entry

    def journal(self) -> list[JournalEntry]:
        """Return every whole entry, in order; a last line cut short is left out."""
        return list(_read_lines(self.path / "journal.jsonl", JournalEntry))

    # -- live -------------------------------------------------------------------------------------------------------

    @property
    def live_path(self) -> Path:
        """`live.jsonl`: written by the load workers, one whole line a second, each by one O_APPEND write."""
        return self.path / "live.jsonl"

    def live_lines(self) -> list[LiveLine]:
        """Return every whole live line; a last line cut short is left out."""
        return list(_read_lines(self.live_path, LiveLine))

    # -- probes of checks -----------------------------------------------------------------------------------------------

    @property
    def probes_path(self) -> Path:
        """What checks asked and were answered, a JSON object a line, without a secret."""
        return self.path / "exchanges" / "probes.jsonl"

    def append_probe(self, record: ProbeRecord) -> None:
        """Keep one exchange of a check. Raises StorageError."""
        with self._journal_lock, storage_errors(self.probes_path), self.probes_path.open("ab") as file:
            file.write(codec.to_json(record) + b"\n")

    def probes(self) -> list[ProbeRecord]:
        """Return what checks asked; a last line cut short is left out. Raises RunDirectoryError."""
        found = list(_read_lines(self.probes_path, ProbeRecord))
        for record in found:
            if record.schema != PROBES_SCHEMA:
                raise RunDirectoryError(f"{self.probes_path}: written as {record.schema}, read as {PROBES_SCHEMA}")
        return found

    # -- metrics ----------------------------------------------------------------------------------------------------

    def append_scrape(self, scrape: Scrape) -> None:
        """Keep one look at an instance's metrics. Raises StorageError."""
        path = self.path / "metrics" / "scrapes.jsonl"
        with self._journal_lock, storage_errors(path), path.open("ab") as file:
            file.write(codec.to_json(scrape) + b"\n")

    def scrapes(self) -> list[Scrape]:
        """Return what the target said of itself; a last line cut short is left out. Raises RunDirectoryError."""
        path = self.path / "metrics" / "scrapes.jsonl"
        found = list(_read_lines(path, Scrape))
        for scrape in found:
            if scrape.schema != SCRAPES_SCHEMA:
                raise RunDirectoryError(f"{path}: written as {scrape.schema}, read as {SCRAPES_SCHEMA}")
        return found

    # -- samples and truth ------------------------------------------------------------------------------------------

    def samples_stream_path(self, worker: int) -> Path:
        """Where one worker streams its samples while the run is going."""
        return self.path / "samples" / f"worker-{worker:03d}.arrows"

    @property
    def samples_path(self) -> Path:
        """The closed samples, joined with the truth."""
        return self.path / "samples" / "samples.parquet"

    def streamed_samples(self) -> pa.Table:
        """Return the rows of every worker's stream, by seq, as far as they reached the disk."""
        paths = sorted((self.path / "samples").glob("worker-*.arrows"))
        parts = [tables.read_stream(path, SAMPLES_SCHEMA) for path in paths]
        if not parts:
            return SAMPLES_SCHEMA.empty_table()
        return pa.concat_tables(parts).unify_dictionaries().sort_by("seq")

    def drop_streams(self) -> None:
        """Remove the workers' streams: the closed samples hold every row of them."""
        for path in (self.path / "samples").glob("worker-*.arrows"):
            with storage_errors(path):
                path.unlink()

    def write_samples(self, table: pa.Table) -> None:
        """Write the closed samples."""
        tables.write_parquet(self.samples_path, table, SAMPLES_SCHEMA)

    def samples(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Return the closed samples, or the named columns of them. Raises RunDirectoryError."""
        return tables.read_parquet(self.samples_path, SAMPLES_SCHEMA, columns)

    def write_calls(self, table: pa.Table) -> None:
        """Write the provider's records."""
        tables.write_parquet(self.path / "truth" / "calls.parquet", table, CALLS_SCHEMA)

    def write_meter(self, data: bytes) -> None:
        """Write the provider's meter as it told it: `truth/meter.json`."""
        write_whole(self.path / "truth" / "meter.json", data)

    def calls(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Return the provider's records, or the named columns of them. Raises RunDirectoryError."""
        return tables.read_parquet(self.path / "truth" / "calls.parquet", CALLS_SCHEMA, columns)

    def write_recorded(self, recorded: Recorded) -> None:
        """Write what plug-ins judged: `extensions.json`."""
        write_whole(self.path / EXTENSIONS_NAME, codec.to_pretty_json(recorded))

    def recorded(self) -> Recorded:
        """Return what plug-ins judged; nothing where none did. Raises RunDirectoryError."""
        if not (self.path / EXTENSIONS_NAME).is_file():
            return Recorded(judgements=(), plugins={})
        return codec.read_json(self.path / EXTENSIONS_NAME, Recorded)

    # -- verdicts and manifest --------------------------------------------------------------------------------------

    def write_verdict(self, verdict: Verdict) -> Path:
        """Write `verdicts/NNN.json` and its copy `verdict.json`; return the first."""
        number = 1 + max((int(path.stem) for path in (self.path / "verdicts").glob("[0-9]*.json")), default=0)
        path = self.path / "verdicts" / f"{number:03d}.json"
        data = codec.to_pretty_json(verdict)
        write_whole(path, data)
        write_whole(self.path / "verdict.json", data)
        return path

    def verdict(self) -> Verdict:
        """Return the last verdict. Raises RunDirectoryError."""
        if not (self.path / "verdict.json").is_file():
            self.must_be_over()
            raise RunDirectoryError(f"{self.path}: the run was not judged", advice=f"harness judge {self.path} does it")
        return codec.read_json(self.path / "verdict.json", Verdict)

    @property
    def manifest_path(self) -> Path:
        """The digests of what was measured, written once."""
        return self.path / "manifest.json"

    def write_manifest(self) -> None:
        """Write the digests of what was measured: plan, journal, live, samples, truth, logs, what plug-ins judged."""
        names = ["plan.json", "journal.jsonl", "live.jsonl", "baseline.json", EXTENSIONS_NAME]
        names += [
            str(p.relative_to(self.path))
            for part in ("samples", "truth", "logs", "metrics", "exchanges")
            for p in sorted((self.path / part).rglob("*"))
            if p.is_file()
        ]
        files = {name: sha256_of(self.path / name) for name in names if (self.path / name).is_file()}
        write_whole(self.manifest_path, codec.to_pretty_json({"schema": MANIFEST_SCHEMA, "files": files}))

    def tampered(self) -> list[str]:
        """Return the names of files that are missing or not what the manifest says; all of it where there is none."""
        path = self.manifest_path
        if not path.is_file():
            return ["manifest.json"]
        try:
            document = json.loads(path.read_bytes())
            files: dict[str, str] = document["files"]
            is_known = document["schema"] == MANIFEST_SCHEMA
        except (ValueError, KeyError, TypeError):
            return ["manifest.json"]
        if not is_known:
            return ["manifest.json"]
        return [
            name for name, digest in files.items() if not (self.path / name).is_file() or sha256_of(self.path / name) != digest
        ]


def _read_lines(path: Path, type_: type[T]) -> Iterator[T]:
    if not path.is_file():
        return
    decoder = msgspec.json.Decoder(type_)
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            yield decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            if number == len(lines):  # no newline after it: cut short by a kill
                return
            raise RunDirectoryError(f"{path}:{number}: {error}") from error
