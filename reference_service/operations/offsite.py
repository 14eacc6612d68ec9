"""A place for backups that the disaster does not reach, behind one small port: put, get, names, drop.

Two kinds: a URL that pyarrow's file systems know (`s3://BUCKET/PREFIX`, `gs://`, `abfs://`, `file:///MOUNT`), whose keys are
the machine's own; and `command:PROGRAM`, called as `PROGRAM put NAME` with the bytes on standard input, `PROGRAM get NAME`
with the bytes on standard output, `PROGRAM list` with a name a line, `PROGRAM drop NAME`: rclone, ssh or whatever there is.
What leaves the machine is one file a backup, sealed whole under the passphrase.
"""

import io
import shlex
import subprocess
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from reference_service.operations.archive import PARTS, RETENTION, BackupError, verify
from reference_service.operations.envelope import open_sealed, seal

SUFFIX = ".sealed"
_FILES = (*PARTS, "manifest.json")
STAMP = "%Y%m%dT%H%M%SZ"
WITHIN_S = 3600.0


class Offsite(Protocol):
    """Keeps files by name. Every method raises BackupError where the place cannot be reached."""

    def put(self, name: str, content: bytes) -> None:
        """Keep it, whole or not at all."""

    def get(self, name: str) -> bytes:
        """Return what was kept."""

    def names(self) -> list[str]:
        """Return every name, in order."""

    def drop(self, name: str) -> None:
        """Keep it no longer."""


class FileSystemStore:
    """A directory or a bucket, by pyarrow's file systems."""

    def __init__(self, url: str) -> None:
        try:
            from pyarrow import fs  # only here: it is large, and a backup on the spot does not need it
        except ImportError as error:  # as in the service's image
            raise BackupError(f"{url}: a URL needs pyarrow, which is not installed here; or use command:PROGRAM") from error
        if "@" in urlsplit(url).netloc:
            raise BackupError(
                "--offsite holds a key, which everybody on this machine could read; set AWS_ACCESS_KEY_ID and so on"
            )
        try:
            self._files, self._root = fs.FileSystem.from_uri(url)
        except (OSError, ValueError) as error:
            raise BackupError(f"{url}: {error}; use s3://, gs://, abfs://, file:///DIRECTORY or command:PROGRAM") from error
        self._url = url
        self._selector = fs.FileSelector(self._root, allow_not_found=True)

    def put(self, name: str, content: bytes) -> None:
        """Write it; in a directory beside its name first, since only a bucket shows nothing that is not whole."""
        is_directory = self._files.type_name == "local"
        path = f"{self._root}/{name}"
        written = f"{path}.new" if is_directory else path
        with self._telling():
            if is_directory:
                self._files.create_dir(self._root, recursive=True)
            with self._files.open_output_stream(written) as out:
                out.write(content)
            if is_directory:
                self._files.move(written, path)

    def get(self, name: str) -> bytes:
        """Read it."""
        with self._telling(), self._files.open_input_stream(f"{self._root}/{name}") as there:
            return bytes(there.read())

    def names(self) -> list[str]:
        """List the directory."""
        with self._telling():
            return sorted(info.base_name for info in self._files.get_file_info(self._selector) if info.is_file)

    def drop(self, name: str) -> None:
        """Delete it."""
        with self._telling():
            self._files.delete_file(f"{self._root}/{name}")

    def _telling(self) -> "_Telling":
        return _Telling(self._url)


class _Telling:
    """Says which place a file system's error is about."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: Any, error: BaseException | None, __: Any) -> None:
        if isinstance(error, OSError):
            raise BackupError(f"{self._url}: {error}") from error


class CommandStore:
    """Whatever a program can reach."""

    def __init__(self, command: str) -> None:
        self._command = shlex.split(command)
        if not self._command:
            raise BackupError("command: names no program; use command:PROGRAM [ARGUMENTS]")

    def put(self, name: str, content: bytes) -> None:
        """Give it on standard input."""
        self._run("put", name, given=content)

    def get(self, name: str) -> bytes:
        """Take it from standard output."""
        return self._run("get", name)

    def names(self) -> list[str]:
        """Read a name a line."""
        return sorted(self._run("list").decode("utf-8", "replace").split())

    def drop(self, name: str) -> None:
        """Have it dropped."""
        self._run("drop", name)

    def _run(self, *words: str, given: bytes = b"") -> bytes:
        try:
            done = subprocess.run([*self._command, *words], input=given, capture_output=True, timeout=WITHIN_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BackupError(f"{self._command[0]} {words[0]}: {error}") from error
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip()[-500:]
            raise BackupError(f"{self._command[0]} {words[0]} ended with {done.returncode}: {said or 'it said nothing'}")
        return done.stdout


def offsite(place: str) -> Offsite:
    """Return the store that `place` names. Raises BackupError."""
    return CommandStore(place.removeprefix("command:")) if place.startswith("command:") else FileSystemStore(place)


def send(store: Offsite, backup: Path, passphrase: str, *, now: datetime) -> str:
    """Seal a whole backup, keep it off-site, read it back, and drop what is older than 30 days there; return its name."""
    verify(backup)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for part in _FILES:
            tar.add(backup / part, arcname=part)
    name = backup.name + SUFFIX
    store.put(name, seal(packed.getvalue(), passphrase))
    if _opened(store, name, passphrase) != packed.getvalue():
        raise BackupError(f"{name} was sent, and what came back is not it; it is no backup")
    for old, at in moments(store).items():
        if at < now - RETENTION:
            store.drop(old)
    return name


def fetch(store: Offsite, to: Path, passphrase: str, name: str = "") -> Path:
    """Bring a backup home, the newest unless one is named; return its directory, verified. Raises BackupError."""
    wanted = name or next(reversed(moments(store)), "")
    if not wanted:
        raise BackupError("there is no backup off-site")
    place = to / wanted.removesuffix(SUFFIX)
    parts = _unpacked(wanted, _opened(store, wanted, passphrase))
    place.mkdir(parents=True, mode=0o700)
    for part, content in parts.items():
        (place / part).touch(mode=0o600)
        (place / part).write_bytes(content)
    verify(place)
    return place


def offsite_age_s(store: Offsite, *, now: datetime) -> float | None:
    """Return how old the newest backup there is; None where there is none."""
    newest = max(moments(store).values(), default=None)
    return None if newest is None else (now - newest).total_seconds()


def moments(store: Offsite) -> dict[str, datetime]:
    """Return when each backup there was made, oldest first; names that are not ours are left alone."""
    found = {}
    for name in store.names():
        try:
            found[name] = datetime.strptime(name, STAMP + SUFFIX).replace(tzinfo=UTC)
        except ValueError:
            continue
    return dict(sorted(found.items(), key=lambda pair: pair[1]))


def _opened(store: Offsite, name: str, passphrase: str) -> bytes:
    try:
        return open_sealed(store.get(name), passphrase)
    except ValueError as error:
        raise BackupError(f"{name}: {error}") from error


def _unpacked(name: str, packed: bytes) -> dict[str, bytes]:
    """Return the files of a backup, asked for by name: what else is in there, and where it wants to go, is of no effect."""
    parts = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            for part in _FILES:
                held = tar.extractfile(part)
                if held is None:
                    raise BackupError(f"{name}: {part} in it is no file")
                parts[part] = held.read()
    except (KeyError, tarfile.TarError) as error:
        raise BackupError(f"{name}: {error}") from error
    return parts
