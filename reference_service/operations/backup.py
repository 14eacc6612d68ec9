"""`python -m reference_service.operations.backup create|fetch|restore|environment|ages`: see `docs/runbooks/restore.md`."""

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from reference_service.errors import SettingsError
from reference_service.operations.archive import DATABASE_MAX_AGE_S, Backup, BackupError, ages, restore, verify
from reference_service.operations.envelope import open_sealed
from reference_service.operations.offsite import Offsite, fetch, offsite, offsite_age_s, send
from reference_service.operations.postgres import PostgresError
from reference_service.operations.tools import tools_for


def main() -> int:
    """Run the program; 1 where a backup is too old, 2 for a wrong use, 5 where it could not be done."""
    parser = argparse.ArgumentParser(prog="backup")
    parser.add_argument("what", choices=["create", "fetch", "restore", "environment", "ages"])
    parser.add_argument("--to", type=Path, help="the directory that holds the backups")
    parser.add_argument("--from", dest="place", type=Path, help="one backup")
    parser.add_argument("--offsite", default="", help="where else: a URL such as s3://BUCKET/PREFIX, or command:PROGRAM")
    parser.add_argument("--name", default="", help="which backup to fetch; the newest")
    options = parser.parse_args()
    if (options.to if options.what in ("create", "fetch", "ages") else options.place) is None:
        parser.error("create, fetch and ages need --to, restore and environment need --from")
    if options.what == "fetch" and not options.offsite:
        parser.error("fetch needs --offsite")
    try:
        elsewhere = offsite(options.offsite) if options.offsite else None
    except BackupError as error:
        parser.error(str(error))
    url, passphrase = os.environ.get("SERVICE_DATABASE_URL", ""), os.environ.get("BACKUP_PASSPHRASE", "")
    try:
        if options.what in ("create", "restore") and not url:
            raise BackupError("SERVICE_DATABASE_URL is not set; it says which database")
        if options.what in ("create", "fetch", "environment") and not passphrase:
            raise BackupError("BACKUP_PASSPHRASE is not set; it seals the environment's settings and what is kept off-site")
        backup = tools_for(os.environ).backup()
        return _do(backup, options, elsewhere, url, passphrase)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (PostgresError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 5


def _do(backup: Backup, options: argparse.Namespace, elsewhere: Offsite | None, url: str, passphrase: str) -> int:
    now, place = datetime.now(UTC), options.place
    if options.what == "create":
        made = backup.create(options.to, url, os.environ, passphrase, now=now)
        try:
            sent = None if elsewhere is None else send(elsewhere, made, passphrase, now=now)
        except BackupError as error:
            raise BackupError(f"{error}; {made} is whole, but here only") from error
        _say("backed_up", backup=str(made), offsite=sent)
    elif options.what == "fetch":
        assert elsewhere is not None
        _say("fetched", backup=str(fetch(elsewhere, options.to, passphrase, options.name)))
    elif options.what == "restore":
        _say("restored", backup=str(place), rows=restore(place, url))
    elif options.what == "environment":
        verify(place)
        try:
            settings = json.loads(open_sealed((place / "environment.sealed").read_bytes(), passphrase))
        except ValueError as error:
            raise BackupError("the passphrase does not open this backup's environment") from error
        sys.stdout.writelines(f"{name}={value}\n" for name, value in settings.items())
    else:
        found = ages(options.to, now=now)
        if elsewhere is not None:
            age_s = offsite_age_s(elsewhere, now=now)
            found |= {"offsite_age_s": age_s, "ok": bool(found["ok"]) and age_s is not None and age_s <= DATABASE_MAX_AGE_S}
        sys.stdout.write(json.dumps(found) + "\n")
        return 0 if found["ok"] else 1
    return 0


def _say(event: str, **fields: object) -> None:
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
