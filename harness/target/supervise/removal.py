"""A stack's own directory: made under a name nobody can guess, recognised again, removed whole."""

import errno
import os
import shutil
import stat
import time
from pathlib import Path

PREFIX = "llm-harness-"
_STAMP = ".llm-harness-stack"


def make(directory: Path, stack_id: str) -> None:
    """Make a stack's directory: ours alone to write, others may pass through (PostgreSQL does not run as root).

    Raises OSError.
    """
    directory.mkdir(mode=0o700)
    directory.chmod(0o711)
    (directory / _STAMP).write_text(stack_id, encoding="ascii")


def is_ours(directory: Path, stack_id: str) -> bool:
    """Return whether this is the directory that `make` made for that stack, and not a link or a lookalike."""
    try:
        status = directory.lstat()
        stamped = (directory / _STAMP).read_text(encoding="ascii") == stack_id
    except (OSError, UnicodeDecodeError):
        return False
    return stamped and stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and directory.name.startswith(PREFIX)


def remove(directory: Path, stack_id: str, *, within_s: float = 1.0) -> bool:
    """Remove a stack's directory; return whether it is gone. One that is not ours is left alone.

    A process that is just ending may still write, so an attempt that finds new files is repeated.
    """
    deadline = time.monotonic() + within_s
    while is_ours(directory, stack_id) or directory.exists():
        if not is_ours(directory, stack_id) and any(directory.iterdir()):
            return False
        try:
            _remove_stamp_last(directory)
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.ENOENT, errno.EEXIST} or time.monotonic() > deadline:
                return False
            time.sleep(0.02)
    return True


def _remove_stamp_last(directory: Path) -> None:
    # Whoever is killed in the middle leaves a directory that `harness clean` still knows for ours.
    for entry in directory.iterdir():
        if entry.name == _STAMP:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)
    (directory / _STAMP).unlink(missing_ok=True)
    directory.rmdir()
