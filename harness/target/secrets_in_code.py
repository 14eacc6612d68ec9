"""Keys that stand in a service's code, or once stood there: what was committed is known to everybody who has a copy.

Looked for are the forms of keys that their issuers made to be recognised, and private keys in PEM. What says of itself that it
is an example is none. Nothing that is found leaves this module: only where it stands and what kind it is.
"""

import importlib.util
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import StackError

RULES: tuple[tuple[str, re.Pattern[bytes]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("a private key", rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s*[+ ]?[A-Za-z0-9+/=]{40,}"),
        ("a key of AWS", rb"\bAKIA[0-9A-Z]{16}\b"),
        ("a token of GitHub", rb"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})"),
        ("a token of Slack", rb"\bxox[abprs]-[A-Za-z0-9-]{20,}"),
        ("a key of a model provider", rb"\bsk-[A-Za-z0-9_-]{32,}"),
        ("a key of Google", rb"\bAIza[0-9A-Za-z_-]{35}\b"),
        ("a live key of Stripe", rb"\b[rs]k_live_[0-9a-zA-Z]{24,}"),
    )
)
_MADE_UP = re.compile(rb"example", re.IGNORECASE)
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


def found_in(text: bytes) -> list[tuple[int, str]]:
    """Return the line and the kind of each key in a text."""
    return [
        (text.count(b"\n", 0, found.start()) + 1, what)
        for what, pattern in RULES
        for found in pattern.finditer(text)
        if not _MADE_UP.search(found[0])
    ]


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
