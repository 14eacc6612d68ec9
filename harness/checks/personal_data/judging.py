"""Do the canaries stand anywhere in the clear? Only where the log lines of the requests are there can nobody miss them."""

from collections.abc import Iterator
from pathlib import Path

from harness.checks.evidence import answered, judgement, records_of
from harness.checks.personal_data.canaries import found_in
from harness.checks.personal_data.planning import ASKING
from harness.errors import RunDirectoryError
from harness.measure.reading import Reading
from harness.model.judgement import Evidence, Judgement, Status, Test
from harness.model.plan import PlannedCheck

MAY_ECHO = ("question", "streamed")
"""Answers of a model, which may say to the user what the user said."""
_CHUNK_BYTES = 1 << 20


def judge_personal_data(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether personal data and keys were kept to themselves. Raises RunDirectoryError."""
    records = records_of(reading, check)
    ids = {record.request_id for name in ASKING for record in answered(records.get(name, []))}
    leaks: list[tuple[str, str]] = []
    logged = set[str]()
    for log in sorted(reading.run.logs.glob("*.log")):
        for number, line in _lines(log):
            if (what := found_in(line, check.id)) is not None:
                leaks.append((what, f"logs/{log.name}:{number}"))
            logged |= {each for each in ids if each in line}
    texts = 0
    for name, mine in records.items():
        for record in answered(mine):
            texts += 1
            shown = record.body if name not in MAY_ECHO else ""
            if (what := found_in(" ".join([shown, *record.headers.values()]), check.id)) is not None:
                leaks.append((what, f"the answer to {name}"))
    unasked = [name for name in (*ASKING, "metrics", "audit") if not answered(records.get(name, []))]
    test = Test(quantity="canaries_found", op="<=", limit=0.0, value=float(len(leaks)), n=len(logged) + texts, bad=len(leaks))
    evidence = tuple(Evidence(kind="log", ref=where) for _, where in leaks[:5])
    if leaks:
        what, where = leaks[0]
        rest = f" (and {len(leaks) - 1} more)" if len(leaks) > 1 else ""
        return judgement(
            check,
            Status.FAIL,
            f"a made-up {what} of a request stands in the clear in {where}{rest}",
            test=test,
            evidence=evidence,
        )
    if unasked:
        reason = f"{unasked[0]} was not answered, so nothing says what the service does with what it is told there"
        return judgement(check, Status.INCONCLUSIVE, reason, test=test)
    if len(logged) < len(ids):
        missing = f"{len(ids) - len(logged)} of {len(ids)} requests"
        reason = f"{missing} stand in no log of the target, so nobody can say what is written of them"
        return judgement(check, Status.INCONCLUSIVE, reason, test=test)
    reason = (
        f"the made-up number, address and key of {len(ids)} requests stand in the clear in no log, metric, error or audit entry"
    )
    return judgement(check, Status.PASS, reason, test=test)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, start=1):
                yield number, line[:_CHUNK_BYTES]
    except OSError as error:
        raise RunDirectoryError(f"{path}: {error.strerror}") from error
