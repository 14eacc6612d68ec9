"""Backups as directories, each named by its moment.

`database.dump`, `configuration.tar`, `environment.sealed` and a `manifest.json` with their digests, written last: a
directory without one is no backup. `offsite.py` keeps a copy where the disaster does not reach.
"""

import contextlib
import json
import shutil
import tarfile
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from reference_service.operations.envelope import seal
from reference_service.operations.postgres import PostgresError, run

RETENTION = timedelta(days=30)
DATABASE_MAX_AGE_S = 24 * 3600
SETTINGS_MAX_AGE_S = 7 * 24 * 3600
CONFIGURATION = ("workflows", "observability", "migrations")
PARTS = ("database.dump", "configuration.tar", "environment.sealed")
TABLES = "select tablename from pg_tables where schemaname = 'public' order by 1"


class BackupError(PostgresError):
    """What could not be done; the message says why and what to do."""


class Backup:
    """Makes backups; each of the three parts is a method."""

    def create(self, to: Path, database_url: str, environment: Mapping[str, str], passphrase: str, *, now: datetime) -> Path:
        """Write a backup of now and drop those that are older than 30 days; return its directory. Raises BackupError."""
        place = to / now.strftime("%Y%m%dT%H%M%SZ")
        place.mkdir(parents=True, mode=0o700)
        try:
            self.dump(place / "database.dump", database_url)
            self.pack_configuration(place / "configuration.tar")
            self.seal_environment(place / "environment.sealed", environment, passphrase)
            manifest = {"schema": "service.backup/1", "at": now.isoformat(), "digests": {p: _digest(place / p) for p in PARTS}}
            new = place / "manifest.new"
            new.write_text(json.dumps(manifest, indent=2), encoding="utf-8")
            new.replace(place / "manifest.json")
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        self.drop_old(to, now)
        return place

    def dump(self, to: Path, database_url: str) -> None:
        """Write the whole database."""
        run(["pg_dump", *self.dump_options(), "-f", str(to)], database_url)

    def dump_options(self) -> list[str]:
        """Return how pg_dump is told to write everything."""
        return ["-F", "c", "-b"]

    def pack_configuration(self, to: Path) -> None:
        """Write workflows, rules, dashboards and migrations."""
        with tarfile.open(to, "w") as tar:
            for name in CONFIGURATION:
                tar.add(str(files("reference_service") / name), arcname=name, filter=_reproducible)

    def seal_environment(self, to: Path, environment: Mapping[str, str], passphrase: str) -> None:
        """Write the service's settings, readable with the passphrase only."""
        settings = {k: v for k, v in sorted(environment.items()) if k.startswith("SERVICE_")}
        to.write_bytes(seal(json.dumps(settings).encode(), passphrase))

    def drop_old(self, to: Path, now: datetime) -> None:
        """Remove what is older than 30 days."""
        for old in backups(to):
            if moment_of(old) < now - RETENTION:
                shutil.rmtree(old)


def restore(place: Path, database_url: str) -> dict[str, int]:
    """Put the database back as it was, all of it or nothing; return the rows of each table. Raises BackupError."""
    verify(place)
    # A schema that is dropped and made anew takes with it whatever the backup does not know.
    script = ["-c", "drop schema public cascade; create schema public;"]
    dump = run(["pg_restore", "-f", "-", str(place / "database.dump")], None, keep=True)
    body = dump.replace("CREATE SCHEMA public;", "")
    run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-1", *script, "-f", "-"], database_url, given=body)
    names = run(["psql", "-X", "-A", "-t", "-c", TABLES], database_url, keep=True).split()
    counts = {}
    for name in names:
        counted = f'select count(*) from "{name}"'  # noqa: S608 - the name is the database's own
        counts[name] = int(run(["psql", "-X", "-A", "-t", "-c", counted], database_url, keep=True))
    if counts.get("account", 0) == 0:
        raise BackupError(f"{place}: the database was restored, but it has no accounts: this backup restores nothing")
    return counts


def verify(place: Path) -> None:
    """Raise BackupError unless every part is there and is what was written."""
    try:
        digests = json.loads((place / "manifest.json").read_text(encoding="utf-8"))["digests"]
    except (OSError, ValueError, KeyError) as error:
        raise BackupError(f"{place} is not a backup: its manifest.json cannot be read; choose another") from error
    for part in PARTS:
        if not (place / part).is_file() or _digest(place / part) != digests.get(part):
            raise BackupError(f"{place / part} is not what was written; choose another backup")


def backups(to: Path) -> list[Path]:
    """Return the whole backups in a directory, oldest first."""
    return sorted(p.parent for p in to.glob("*/manifest.json"))


def moment_of(place: Path) -> datetime:
    """Return when a backup was made."""
    return datetime.fromisoformat(json.loads((place / "manifest.json").read_text(encoding="utf-8"))["at"])


def ages(to: Path, *, now: datetime) -> dict[str, object]:
    """Return how old the newest usable backup is, and whether that is young enough."""
    for place in reversed(backups(to)):
        with contextlib.suppress(BackupError):
            verify(place)
            age_s = (now - moment_of(place)).total_seconds()
            return {
                "backup": place.name,
                "database_age_s": age_s,
                "settings_age_s": age_s,
                "ok": age_s <= min(DATABASE_MAX_AGE_S, SETTINGS_MAX_AGE_S),
            }
    return {"backup": None, "database_age_s": None, "settings_age_s": None, "ok": False}


def _reproducible(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return None if "__pycache__" in member.name else member


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
