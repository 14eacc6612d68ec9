"""`python -m reference_service.operations.backup create|restore|environment|ages`: see `docs/runbooks/restore.md`."""

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from reference_service.errors import SettingsError
from reference_service.operations.archive import Backup, BackupError, ages, restore, verify
from reference_service.operations.envelope import open_sealed
from reference_service.operations.postgres import PostgresError
from reference_service.operations.tools import tools_for


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
        backup = tools_for(os.environ).backup()
        return _do(backup, options.what, options.to, options.place, url, passphrase)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (PostgresError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 5


def _do(backup: Backup, what: str, to: Path, place: Path, url: str, passphrase: str) -> int:
    now = datetime.now(UTC)
    if what == "create":
        made = backup.create(to, url, os.environ, passphrase, now=now)
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
