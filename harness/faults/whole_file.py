"""A small file that is written at once: whoever reads it sees the old text or the new one."""

import os
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write a file of which no reader sees a part. Raises OSError."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="ascii")
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
