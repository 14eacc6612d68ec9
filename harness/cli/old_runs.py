"""Old run directories: which may go. A run is only ever removed whole, and only what is one for certain."""

import shutil
from pathlib import Path

from harness.errors import ConfigurationError
from harness.rundir.files import storage_errors
from harness.rundir.writer import is_held


def old_runs(reports: Path, keep: int, live: frozenset[Path]) -> list[Path]:
    """Return the runs below `reports` that are older than the `keep` newest, the oldest first.

    A run is a directory with `plan.json` and `journal.jsonl`, or one of several runs with `run.json`. What `latest` points at,
    what is live, and everything else (releases, histories, files of yours) is never among them. Raises ConfigurationError.
    """
    if not reports.is_dir():
        raise ConfigurationError(f"{reports}: no such directory", advice="harness run makes it; HARNESS_OUT names another")
    spared = {(reports / "latest").resolve(), *(path.resolve() for path in live)}
    runs = [path for path in reports.iterdir() if path.is_dir() and not path.is_symlink() and _is_run(path)]
    runs.sort(key=lambda path: path.stat().st_mtime)
    gone = runs[: max(0, len(runs) - keep)]
    return [
        path
        for path in gone
        if not any(each == path.resolve() or path.resolve() in each.parents for each in spared)
        and not any(is_held(place) for place in (path, *path.iterdir()))
    ]


def remove(path: Path) -> None:
    """Remove one run directory whole. Raises StorageError."""
    with storage_errors(path):
        shutil.rmtree(path)


def _is_run(path: Path) -> bool:
    if (path / "plan.json").is_file() and (path / "journal.jsonl").is_file():
        return True
    inside = [each for each in path.iterdir() if each.is_dir()]
    return (path / "run.json").is_file() and bool(inside) and all(_is_run(each) for each in inside)
