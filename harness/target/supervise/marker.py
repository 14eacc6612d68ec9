"""The note that a stack leaves in the user's state directory, so that what survives everything can still be found.

One JSON file a stack: who controls it, who keeps it, which processes and which directory are its own. No secrets.
"""

import contextlib
import errno
import json
import os
import socket
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from harness.target.supervise.procfs import Identity

_SUFFIX = ".stack.json"
_STOPGAP = "llm-harness-state-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What is known of one stack.

    place: host, boot and pid namespace, since a pid means nothing elsewhere. written_s: wall clock, when it was written.
    """

    stack_id: str
    place: str
    control: Identity
    keeper: Identity
    directory: str
    children: tuple[tuple[str, Identity], ...] = ()
    written_s: float = 0.0

    def with_child(self, name: str, child: Identity) -> "Marker":
        """Return the marker with one more process."""
        return replace(self, children=(*self.children, (name, child)))

    @property
    def name(self) -> str:
        """The name of its file."""
        return self.stack_id + _SUFFIX


def this_place() -> str:
    """Return where pids mean what they mean here."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{socket.gethostname()} {boot} {Path('/proc/self/ns/pid').readlink()}"


def default_state_directory() -> Path:
    """Return the user's own directory for markers; one in the temporary directory where home cannot be written."""
    configured = os.environ.get("XDG_STATE_HOME", "")
    home = Path(configured) if Path(configured).is_absolute() else Path("~/.local/state").expanduser()
    wanted = home / "llm-harness"
    with contextlib.suppress(OSError, RuntimeError):
        if wanted.is_absolute():
            wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
            if os.access(wanted, os.W_OK | os.X_OK):
                return wanted
    return Path(tempfile.gettempdir()) / f"{_STOPGAP}{os.geteuid()}"


def write(state_directory: Path, marker: Marker) -> None:
    """Write a marker whole, replacing the stack's earlier one. Raises OSError."""
    document = {
        "schema": "harness.stack-marker/1",
        "stack_id": marker.stack_id,
        "place": marker.place,
        "control": _written(marker.control),
        "keeper": _written(marker.keeper),
        "directory": marker.directory,
        "children": [{"name": name, **_written(child)} for name, child in marker.children],
    }
    state_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if state_directory.stat().st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, "belongs to another user", str(state_directory))
    path = state_directory / marker.name
    part = path.with_suffix(".part")
    try:
        part.write_text(json.dumps(document), encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def remove(state_directory: Path, stack_id: str) -> None:
    """Remove a stack's marker, if there is one."""
    with contextlib.suppress(OSError):
        (state_directory / (stack_id + _SUFFIX)).unlink(missing_ok=True)
        if state_directory.name.startswith(_STOPGAP):
            state_directory.rmdir()  # a temporary directory is no place to leave even an empty one


def read_all(state_directory: Path) -> list[Marker]:
    """Return every marker that can be read and is our own file; what someone else put there is not believed."""
    markers: list[Marker] = []
    if not state_directory.is_dir():
        return markers
    for path in sorted(state_directory.glob("*" + _SUFFIX)):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            if path.lstat().st_uid != os.geteuid():
                continue
            found = json.loads(path.read_bytes())
            marker = Marker(
                stack_id=str(found["stack_id"]),
                place=str(found["place"]),
                control=_read(found["control"]),
                keeper=_read(found["keeper"]),
                directory=str(found["directory"]),
                children=tuple((str(child["name"]), _read(child)) for child in found["children"]),
                written_s=path.stat().st_mtime,
            )
            if marker.name == path.name:
                markers.append(marker)
    return markers


def _written(identity: Identity) -> dict[str, int]:
    return {"pid": identity.pid, "start_ticks": identity.start_ticks}


def _read(found: dict[str, int]) -> Identity:
    return Identity(pid=int(found["pid"]), start_ticks=int(found["start_ticks"]))
