"""The history: every run that was started, one line each at its start and its end, chained so that a missing line is seen.

A sign-off cannot be bought by running again: a run that is ended by hand when it looks bad has its first line already.
Each line carries the sha256 of the line before it. A tail that is cut off cannot be seen; keep the file where only the
pipeline writes.
"""

import fcntl
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.errors import RunDirectoryError
from harness.model.judgement import Status, Verdict
from harness.model.plan import Plan
from harness.rundir import codec
from harness.rundir.files import sha256_of, storage_errors

_NO_LINE = "0" * 64
_SCHEMA = "harness.history/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """One line. event: `started`, `ended` or `void`; results: `objective` to its statuses, one for each phase."""

    event: str
    run_id: str
    at: str
    scenario: str
    scenario_digest: str
    target: str
    target_version: str | None
    overridden: bool
    rehearsed: bool
    verdict: Status | None = None
    results: Mapping[str, tuple[Status, ...]] = field(default_factory=dict)
    before: str = _NO_LINE
    schema: str = _SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What is known of earlier runs, the last line of each run. problems: where the file is not what was written."""

    runs: tuple[HistoryLine, ...]
    problems: tuple[str, ...]
    digest: str


def started(plan: Plan, at: str) -> HistoryLine:
    """Return the line of a run that starts. at: UTC, ISO 8601."""
    return _line(plan, "started", at)


def void(plan: Plan, at: str) -> HistoryLine:
    """Return the line of a run that sent no load, because its target did not start: it is no attempt."""
    return _line(plan, "void", at)


def ended(plan: Plan, verdict: Verdict | None, at: str) -> HistoryLine:
    """Return the line of a run that ended, judged or not."""
    results: dict[str, tuple[Status, ...]] = {}
    for judgement in verdict.results if verdict else ():
        results[judgement.id] = (*results.get(judgement.id, ()), judgement.status)
    return replace(_line(plan, "ended", at), verdict=verdict.verdict if verdict else None, results=results)


def append(path: Path, line: HistoryLine) -> None:
    """Add a line to the history, on disk before this returns; several runs may do so at once. Raises StorageError."""
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            lines = file.read().split(b"\n")
            written = [text for text in lines if text]
            before = hashlib.sha256(written[-1]).hexdigest() if written else _NO_LINE
            broken_off = b"\n" if lines[-1] else b""  # a kill inside the last line: it stays, and is told
            file.write(broken_off + codec.to_json(replace(line, before=before)) + b"\n")
            file.flush()
            os.fsync(file.fileno())


def read_history(path: Path) -> History:
    """Return the history. Damage is told in `problems`; raises RunDirectoryError only where the file cannot be read."""
    try:
        texts = [text for text in path.read_bytes().split(b"\n") if text]
    except OSError as error:
        raise RunDirectoryError(f"{path}: {error.strerror}") from error
    runs: dict[str, HistoryLine] = {}
    problems: list[str] = []
    before = _NO_LINE
    for number, text in enumerate(texts, start=1):
        try:
            line = codec.from_json(text, HistoryLine, where=f"line {number}")
        except RunDirectoryError as error:
            problems.append(f"the history cannot be read: {error.message}")
        else:
            if line.schema != _SCHEMA:
                problems.append(f"line {number} of the history is of another version ({line.schema})")
            if line.before != before:
                problems.append(f"the history was changed before line {number}: lines are missing or were edited")
            runs[line.run_id] = line
        before = hashlib.sha256(text).hexdigest()
    return History(runs=tuple(runs.values()), problems=tuple(problems), digest=sha256_of(path))


def merge(histories: Sequence[History]) -> History:
    """Return several histories as one; a run that stands in two of them counts once."""
    runs = {line.run_id: line for history in histories for line in history.runs}
    problems = tuple(text for history in histories for text in history.problems)
    return History(runs=tuple(runs.values()), problems=problems, digest=histories[0].digest if len(histories) == 1 else "")


def attempts_of(history: Sequence[HistoryLine], scenario: str, digest: str, version: str) -> list[HistoryLine]:
    """Return the runs of one scenario digest on one target version that were not changed on the command line."""
    return [
        line
        for line in history
        if line.scenario == scenario
        and line.scenario_digest == digest
        and line.target_version in (version, None)  # a run cut short before the target told its version is an attempt too
        and not line.overridden
        and line.event != "void"
    ]


def _line(plan: Plan, event: str, at: str) -> HistoryLine:
    return HistoryLine(
        event=event,
        run_id=plan.run_id,
        at=at,
        scenario=plan.scenario.name,
        scenario_digest=plan.scenario.digest,
        target=plan.target.name,
        target_version=plan.target.version,
        overridden=bool(plan.overrides),
        rehearsed=plan.rehearsed,
    )
