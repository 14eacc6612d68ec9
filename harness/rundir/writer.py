"""Who is writing a run directory: its run, until it is judged and reported. Everybody else waits with reading it.

The lock is the kernel's, on the directory itself: it leaves no file, and ends with its process however that ends. A file system
without such locks holds nothing, and then nobody is refused.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def held(directory: Path) -> Iterator[None]:
    """Hold the directory while the block runs: `is_held` says so to everybody else, in this process too."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def is_held(directory: Path) -> bool:
    """Return whether somebody writes the directory now; False where nobody can tell."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False
