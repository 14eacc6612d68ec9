"""Rows of a worker elsewhere: tailed from its own files once a second, appended to the run directory by the master.

One message a second and worker, whatever the rate: the master's loop never sees a request.
"""

import contextlib
import os
from pathlib import Path
from typing import Protocol

from harness.errors import LoadError
from harness.rundir import RunDirectory
from harness.rundir.files import storage_errors

MAX_BYTES = 1 << 20
SAMPLES, LIVE, EXCHANGES = "samples", "live", "exchanges"


class _Say(Protocol):
    def __call__(self, head: str, data: bytes) -> None: ...


class Outbox:
    """What has grown in a worker's files since it was last told. say: sends a head `NAME@OFFSET` and bytes."""

    def __init__(self, directory: RunDirectory, *, worker: int, say: _Say) -> None:
        self._paths = paths_of(directory, worker)
        self._told = dict.fromkeys(self._paths, 0)
        self._say = say

    def send(self) -> int:
        """Tell what is new; return how many bytes that was."""
        sent = 0
        for name, path in self._paths.items():
            with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                file.seek(self._told[name])
                while data := file.read(MAX_BYTES):
                    whole = data if name == SAMPLES else data[: data.rfind(b"\n") + 1]
                    if not whole:
                        break
                    self._say(f"{name}@{self._told[name]}", whole)
                    self._told[name] += len(whole)
                    sent += len(whole)
        return sent


class Inbox:
    """Where the master keeps what one worker tells. Raises StorageError."""

    def __init__(self, directory: RunDirectory, *, worker: int) -> None:
        self._paths = paths_of(directory, worker)
        self._had = dict.fromkeys(self._paths, 0)
        with storage_errors(self._paths[SAMPLES]):
            self._paths[SAMPLES].write_bytes(b"")  # a worker that was given up before the start left its beginning here

    def take(self, head: str, data: bytes) -> None:
        """Append bytes; what is here already is passed over. Raises LoadError where something between is missing."""
        name, _, place = head.partition("@")
        if name not in self._paths or not place.isdigit():
            raise LoadError(f"rows of an unknown kind {head!r}")
        if int(place) < self._had[name]:
            return
        if int(place) > self._had[name]:
            raise LoadError(f"{int(place) - self._had[name]} bytes of {name} never arrived")
        append(self._paths[name], data)
        self._had[name] += len(data)


def paths_of(directory: RunDirectory, worker: int) -> dict[str, Path]:
    """Return the files that a worker writes, by the names under which their bytes travel."""
    return {
        SAMPLES: directory.samples_stream_path(worker),
        LIVE: directory.live_path,
        EXCHANGES: exchanges_path(directory, worker),
    }


def exchanges_path(directory: RunDirectory, worker: int) -> Path:
    """Return where one worker keeps exchanges."""
    return directory.path / "exchanges" / f"worker-{worker:03d}.jsonl"


def append(path: Path, data: bytes) -> None:
    """Append bytes by one write, so that several may append to one file."""
    with storage_errors(path):
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.write(fd, data)
        finally:
            os.close(fd)
