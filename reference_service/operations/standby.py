"""`python -m reference_service.operations.standby create|serve|status|promote`: a second PostgreSQL that follows the first.

`create --data DIR` copies the database that SERVICE_DATABASE_URL names, `serve --data DIR --listen HOST:PORT` becomes the
server that follows it, `status --standby HOST:PORT` says how far behind it is (1 where it does not follow), and
`promote --standby HOST:PORT` makes it the database once the first one is dead: see `docs/runbooks/restore.md`.
"""

import argparse
import json
import os
import pwd
import sys
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from reference_service.errors import SettingsError
from reference_service.operations.follower import Follower
from reference_service.operations.postgres import PostgresError, program, run
from reference_service.operations.tools import tools_for

MOST_BEHIND_BYTES = 16 << 20
_SERVER = ("unix_socket_directories=", "hot_standby=on", "max_slot_wal_keep_size=1GB")


def create(database_url: str, data: Path, user: str) -> None:
    """Copy the database into an empty directory, set up to follow it. Raises PostgresError, OSError."""
    if data.exists() and any(data.iterdir()):
        raise PostgresError(f"{data} is not empty; choose another directory, or remove what is in it")
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = _owner(user)
    if owner is not None:
        os.chown(data, *owner)
    # The slot keeps what the follower has not read yet; the server's max_slot_wal_keep_size bounds it.
    slot = f"standby_{os.getpid()}"
    copy = ["pg_basebackup", "-D", str(data), "-R", "-X", "stream", "-c", "fast", "-C", "-S", slot]
    run(copy, database_url, owner=owner)


def serve(data: Path, listen: str, user: str) -> None:
    """Become the server that follows. Raises PostgresError, OSError."""
    if not (data / "standby.signal").is_file() and not (data / "PG_VERSION").is_file():
        raise PostgresError(f"{data} holds no copy of a database; `create` makes one")
    host, _, port = listen.rpartition(":")
    options = [part for setting in (f"listen_addresses={host}", *_SERVER) for part in ("-c", setting)]
    owner = _owner(user)
    postgres = program("postgres")  # before root is given up: our own Python may lie where only root can read
    os.chdir("/")
    if owner is not None:
        os.setgroups([])
        os.setgid(owner[1])
        os.setuid(owner[0])
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
    os.execvpe(postgres, [postgres, "-D", str(data), "-p", port, *options], environment)  # noqa: S606


def url_of(database_url: str, address: str) -> str:
    """Return the database's URL at another `host:port`. Holds the password."""
    url = urlsplit(database_url)
    who = "" if url.username is None else quote(unquote(url.username), safe="")
    if url.password is not None:
        who += ":" + quote(unquote(url.password), safe="")
    return url._replace(netloc=f"{who}@{address}" if who else address).geturl()


def _owner(user: str) -> tuple[int, int] | None:
    """Return whom PostgreSQL runs as where we are root, which it refuses to be."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(user)
    except KeyError as error:
        raise PostgresError(f"there is no user {user} on this machine; name one by --as") from error
    return entry.pw_uid, entry.pw_gid


def _do(follower: type[Follower], o: argparse.Namespace, url: str) -> int:
    if o.what == "create":
        create(url, o.data.resolve(), o.user)
        sys.stdout.write(json.dumps({"event": "created", "data": str(o.data)}) + "\n")
    elif o.what == "serve":
        serve(o.data.resolve(), o.listen, o.user)
    elif o.what == "status":
        state = follower(url, url_of(url, o.standby)).state()
        sys.stdout.write(json.dumps(state) + "\n")
        behind = state["behind_bytes"]
        return 0 if state["following"] and isinstance(behind, int) and behind <= MOST_BEHIND_BYTES else 1
    else:
        sys.stdout.write(json.dumps(follower(url, url_of(url, o.standby)).promote()) + "\n")
    return 0


def main() -> int:
    """Run the program; 1 where the standby does not follow, 2 for wrong use, 5 where it could not be done."""
    parser = argparse.ArgumentParser(prog="standby")
    parser.add_argument("what", choices=["create", "serve", "status", "promote"])
    parser.add_argument("--data", type=Path, help="the directory of the copy")
    parser.add_argument("--listen", help="HOST:PORT where it serves")
    parser.add_argument("--standby", help="HOST:PORT where it serves, for status and promote")
    parser.add_argument("--as", dest="user", default="nobody", help="whom PostgreSQL runs as when started by root")
    o = parser.parse_args()
    needs = {"create": ("data",), "serve": ("data", "listen"), "status": ("standby",), "promote": ("standby",)}[o.what]
    if missing := [name for name in needs if getattr(o, name) is None]:
        parser.error(f"{o.what} needs {' and '.join('--' + name for name in missing)}")
    url = os.environ.get("SERVICE_DATABASE_URL", "")
    try:
        if not url and o.what != "serve":
            raise SettingsError("SERVICE_DATABASE_URL is not set; it says which database")
        return _do(tools_for(os.environ).follower, o, url)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (PostgresError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 5


if __name__ == "__main__":
    raise SystemExit(main())
