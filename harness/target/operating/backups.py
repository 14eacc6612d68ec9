"""Backups as the service's operators make them and put them back, and what a reader of the backup finds in it."""

import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from harness.errors import StackError
from harness.model.probe import Action, ActionDone
from harness.target.operating import outdated
from harness.target.operating.programs import OperatorPrograms
from harness.target.postgres_programs import postgres_programs

_DUMPED_WITHIN_S = 20.0


class Backups:
    """Both actions, by the programs' own directory."""

    def __init__(self, programs: OperatorPrograms) -> None:
        self._programs = programs
        self.does: Mapping[str, Callable[[Action], ActionDone]] = {"back-up": self._back_up, "restore": self._restore}
        """By the names that checks call them by."""

    def _back_up(self, action: Action) -> ActionDone:
        place = self._place()
        too_old = outdated.lay_down(place)
        began = time.monotonic()
        said = self._programs.run("reference_service.operations.backup", "create", "--to", str(place))
        name = Path(str(said.get("backup", ""))).name
        took_ms = round((time.monotonic() - began) * 1e3)
        files = [path for path in (place / name).glob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        password = (urlsplit(self._programs.database_url).password or "").encode()
        told: dict[str, str | int | float | bool | None] = {"backup": name, "bytes": size, "took_ms": took_ms}
        told["outdated_kept"] = too_old.exists()
        shutil.rmtree(too_old, ignore_errors=True)
        told["secrets_in_clear"] = sum(bool(password) and password in path.read_bytes() for path in files)
        if (canary := action.arguments.get("canary")) is not None:
            dump = _dumped(place / name / "database.dump")
            told["canary_in_clear"] = canary.encode() in dump or canary.encode().hex().encode() in dump
        return ActionDone(told=told)

    def _restore(self, action: Action) -> ActionDone:  # noqa: ARG002 - the newest
        found = sorted(path.parent for path in self._place().glob("*/manifest.json"))
        if not found:
            raise StackError("there is no backup to restore")
        began = time.monotonic()
        said = self._programs.run("reference_service.operations.backup", "restore", "--from", str(found[-1]))
        rows = said.get("rows")
        counted = {f"rows_{name}": number for name, number in rows.items()} if isinstance(rows, dict) else {}
        told: dict[str, str | int | float | bool | None] = {"backup": found[-1].name}
        told |= {name: number for name, number in counted.items() if isinstance(number, int)}
        return ActionDone(told=told | {"took_ms": round((time.monotonic() - began) * 1e3)})

    def _place(self) -> Path:
        place = self._programs.directory() / "backups"
        place.mkdir(mode=0o700, exist_ok=True)
        return place


def _dumped(file: Path) -> bytes:
    """Return the statements of a dump in PostgreSQL's own format. Raises StackError."""
    command = [str(postgres_programs() / "bin/pg_restore"), "-f", "-", str(file)]
    try:
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_DUMPED_WITHIN_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StackError(f"{file.name} cannot be read: {error}") from error
    if done.returncode != 0:
        raise StackError(f"{file.name} cannot be read: {done.stderr[-200:].decode('utf-8', 'replace')}")
    return done.stdout
