"""Rules over what the target wrote: a pattern that must never stand in its logs, or in the answers that were kept; or must once.

`never` is an invariant: one line is a violation, also in an invalid run. `some` asks for one line, whichever of the logs has
it: of an invalid run it says nothing. Where nothing was written, nothing was looked at.
"""

import fnmatch
import json
import re
from collections.abc import Iterator
from pathlib import Path

from harness.errors import RunDirectoryError
from harness.judge.rows import row_of
from harness.judge.wording import count
from harness.measure.reading import Reading
from harness.model.judgement import Evidence, Judgement, Status, Test
from harness.model.objective import Objective, Quantity

MOST_EVIDENCE = 5
MOST_LINE_BYTES = 65_536


def judge_texts(reading: Reading, objective: Objective) -> list[Judgement]:
    """Return the judgement of one pattern. Raises RunDirectoryError where a file cannot be read."""
    of_logs = objective.quantity is Quantity.LOG_RULE
    pattern = re.compile(objective.expression or "")
    lines = log_lines(reading, objective.sources) if of_logs else _bodies(reading)
    looked, hits = 0, list[tuple[str, str]]()
    for kind, place, text in lines:
        looked += 1
        if pattern.search(text):
            hits.append((kind, place))
    what = "log line" if of_logs else "kept answer"
    test = Test(quantity="matching", op=objective.op, limit=objective.limit, value=float(len(hits)), n=looked)
    if looked == 0:
        where = f" ({', '.join(objective.sources)})" if objective.sources else ""
        return [row_of(objective, Status.INCONCLUSIVE, f"there is no {what}{where} to look at", test=test)]
    if objective.op == ">=":
        told = f"{len(hits):,} of {count(looked, what)} {'matches' if len(hits) == 1 else 'match'} {objective.expression!r}"
        evidence = tuple(Evidence(kind=kind, ref=place) for kind, place in hits[:MOST_EVIDENCE])
        status, reason = (Status.PASS, told) if hits else (Status.FAIL, f"{told}, and one must")
        return [row_of(objective, status, reason, test=test, evidence=evidence)]
    if hits:
        # The pattern is told and the text is not: what must not stand in a log must not stand in a report either.
        reason = f"{len(hits):,} of {count(looked, what)} match {objective.expression!r}: the first at {hits[0][1]}"
        evidence = tuple(Evidence(kind=kind, ref=place) for kind, place in hits[:MOST_EVIDENCE])
        return [row_of(objective, Status.FAIL, reason, test=test, evidence=evidence)]
    return [row_of(objective, Status.PASS, f"none of {count(looked, what)} matches {objective.expression!r}", test=test)]


def log_lines(reading: Reading, names: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """Yield (kind, place, text) of every line of the logs whose name fits one of the globs; all logs where there is none."""
    for path in sorted(reading.run.logs.glob("*.log")):
        if names and not any(fnmatch.fnmatchcase(path.stem, name) for name in names):
            continue
        for number, line in enumerate(_lines(path), start=1):
            yield "log", f"{path.name}:{number}", line


def _bodies(reading: Reading) -> Iterator[tuple[str, str, str]]:
    for path in sorted((reading.run.path / "exchanges").glob("worker-*.jsonl")):
        for line in _lines(path):
            try:
                kept = json.loads(line)
                yield "request", str(kept["seq"]), str(kept["response"])
            except (ValueError, KeyError, TypeError):
                continue  # a last line cut short


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            for line in file:
                yield line[:MOST_LINE_BYTES].decode("utf-8", "replace")
    except OSError as error:
        raise RunDirectoryError(f"{path}: {error.strerror}") from error
