"""Keys that stand in a service's code, or once stood there: what was committed is known to everybody who has a copy.

Nothing that is found leaves this module: only where it stands and what kind it is.
"""

import importlib.util
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import StackError
from harness.model.key_forms import found_in

_MOST_BYTES = 4 << 20
"""Of one file; what is longer is data."""
_HISTORY_WITHIN_S = 20.0
_MOST_PLACES = 5
_NO_CODE = frozenset({".git", ".venv", "node_modules", "__pycache__"})
_GIT = ("git", "-c", "safe.directory=*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What was looked at and found. commits: None where there is no history here. places: `file:line: what`."""

    files: int
    commits: int | None
    places: tuple[str, ...]


def code_of(package: str) -> Path:
    """Return where the code of an installed package lies: its checkout, or the package itself. Raises StackError."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise StackError(f"{package} is not installed here")
    here = Path(spec.origin).resolve().parent
    return here.parent if (here.parent / ".git").exists() else here


def has_history(root: Path) -> bool:
    """Return whether a folder is a checkout with its history."""
    return (root / ".git").exists()


def scanned(root: Path) -> Scanned:
    """Look through every file of the tree, and every line that any commit added. Raises StackError."""
    files, places = 0, list[str]()
    for path in _files(root):
        try:
            text = path.read_bytes()[:_MOST_BYTES]
        except OSError:
            continue
        files += 1
        places += [f"{path.relative_to(root)}:{line}: {what}" for line, what in found_in(text)]
    if not has_history(root):
        return Scanned(files=files, commits=None, places=tuple(places))
    added = _git(root, "log", "--all", "--patch", "--unified=0", "--no-textconv", "--no-ext-diff", "--no-color")
    commits = int(_git(root, "rev-list", "--all", "--count") or b"0")
    places += [f"the history: {what}" for _, what in found_in(b"\n".join(_added(added)))]
    return Scanned(files=files, commits=commits, places=tuple(places))


def told_of(result: Scanned) -> dict[str, str | int | float | bool | None]:
    """Return what a judge is told: counts, and where, never what."""
    return {
        "files": result.files,
        "commits": result.commits,
        "found": len(result.places),
        "where": "; ".join(result.places[:_MOST_PLACES]),
    }


def _files(root: Path) -> Iterator[Path]:
    if has_history(root):
        for name in _git(root, "ls-files", "-z").split(b"\0"):
            if name and (path := root / os.fsdecode(name)).is_file():
                yield path
        return
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _NO_CODE)
        yield from (Path(folder) / name for name in sorted(names))


def _added(patch: bytes) -> Iterator[bytes]:
    for line in patch.split(b"\n"):
        if line.startswith(b"+") and not line.startswith(b"+++"):
            yield line[1:]


def _git(root: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(
            [*_GIT, "-C", str(root), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_HISTORY_WITHIN_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StackError(f"git {arguments[0]} could not be asked of {root}: {error}") from error
    if done.returncode != 0:
        raise StackError(f"git {arguments[0]} failed in {root}: {done.stderr[-200:].decode('utf-8', 'replace').strip()}")
    return done.stdout
