"""Checks of what runs beside the service: the balancer, the canary, the backups; each fails with a certain broken tool."""

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
from forge import popen
from service_bench import CHAT, QUESTION, Bench
from service_stack import Instance, direct, free_port

PASSPHRASE = "a passphrase of the checks"


@contextlib.contextmanager
def balancer(b: Bench, blue: list[str], green: list[str]) -> Iterator[tuple[str, Path]]:
    """Give the balancer's address and directory."""
    port, home = free_port(), b.stack.folder / f"balancer-{uuid.uuid4().hex[:8]}"
    listen = ["--directory", str(home), "--listen", f"127.0.0.1:{port}"]
    with (b.stack.folder / f"{home.name}.log").open("wb") as log:
        command = [sys.executable, "-m", "reference_service.operations.balancer", *listen, "--blue", *blue, "--green", *green]
        process = popen(command, env=b.environment(), stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        b.becomes(lambda: speaks(url), 15.0, "the balancer's start")
        yield url, home
    finally:
        process.terminate()
        process.wait(15)


def speaks(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return direct.get(url).status_code > 0
    return False


def addresses(b: Bench) -> list[str]:
    return [str(instance.process.ready["listen"]) for instance in b.instances]


def with_nobody_ready_the_answer_is_typed(b: Bench) -> None:
    nobody = [f"127.0.0.1:{free_port()}"]
    with balancer(b, nobody, nobody) as (url, _):
        # It believes the second look that nobody is there; until then it says that it could not connect.
        b.becomes(lambda: direct.post(f"{url}{CHAT}", json={}).status_code == 503, 5.0, "nobody ready")
        answer = direct.post(f"{url}{CHAT}", json={})
    assert (answer.status_code, answer.headers.get("retry-after")) == (503, "1")
    assert answer.headers.get("content-type") == "application/json"
    assert answer.json()["error"]["code"] == "guard_unavailable"


def a_request_whose_instance_dies_is_not_paid_twice(b: Bench) -> None:
    key = b.key()
    b.fault("slow_headers", delay_ms=6000)
    body = {"messages": [{"role": "user", "content": QUESTION}]}
    with balancer(b, addresses(b), addresses(b)) as (url, _), ThreadPoolExecutor(1) as pool:
        b.becomes(lambda: direct.get(f"{url}/ready").status_code == 200, 10.0, "readiness")
        asked = pool.submit(direct.post, f"{url}{CHAT}", json=body, headers=key, timeout=25)
        b.becomes(lambda: active(b) == 1, 5.0, "the call")
        busy = max(b.instances, key=in_flight)
        busy.process.popen.send_signal(signal.SIGKILL)
        busy.process.popen.wait()
        answer = asked.result()
        b.becomes(lambda: active(b) == 0, 10.0, "the calls' end")
    assert answer.status_code == 502, answer.text
    assert answer.json()["error"]["code"] == "upstream_error"
    assert len(b.calls("primary")) == 1


def active(b: Bench) -> int:
    return int(direct.get(f"{b.stack.control}/health").json()["active"].get("primary", 0))


def in_flight(instance: Instance) -> float:
    """Return what is under way there for longer than a probe is."""
    seen = [instance.client.get("/metrics").text.partition("\ngateway_requests_in_flight ")[2] for _ in range(6)]
    return min(float(text.partition("\n")[0]) for text in seen)


def a_canary_that_is_taken_back_has_nothing(b: Bench) -> None:
    blue, green = addresses(b)
    with balancer(b, [blue], [green]) as (_, home):
        shift = ["--balancer", str(home), "--stable", "blue", "--candidate", "green", "--watch", "0.2", "--patience", "0.2"]
        assert b.tool("operations.rollout", "canary", *shift).returncode == 3
        shown = b.tool("operations.rollout", "show", "--balancer", str(home))
    assert json.loads(shown.stdout) == {"blue": 100, "green": 0}


@contextlib.contextmanager
def backed_up(b: Bench) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        made = b.tool("operations.backup", "create", "--to", folder, BACKUP_PASSPHRASE=PASSPHRASE)
        assert made.returncode == 0, made.stderr
        yield Path(json.loads(made.stdout)["backup"])


def a_backup_brings_the_accounts_back(b: Bench) -> None:
    name = f"restored_{uuid.uuid4().hex[:8]}"
    b.stack.sql(f"create database {name}")
    with backed_up(b) as place:
        url = b.stack.database_url.rpartition("/")[0] + f"/{name}"
        done = b.tool("operations.backup", "restore", "--from", str(place), SERVICE_DATABASE_URL=url)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"]["account"] == int(b.stack.sql("select count(*) from account")[0][0])


def a_backup_shows_no_secret(b: Bench) -> None:
    with backed_up(b) as place:
        sealed = (place / "environment.sealed").read_bytes()
    assert b.environment()["SERVICE_PROVIDER_KEY"].encode() not in sealed


def a_backup_ends_with_its_thirty_days(b: Bench) -> None:
    with backed_up(b) as place:
        old = place.parent / "20200101T000000Z"
        place.rename(old)
        manifest = json.loads((old / "manifest.json").read_text())
        (old / "manifest.json").write_text(json.dumps({**manifest, "at": "2020-01-01T00:00:00+00:00"}))
        again = b.tool("operations.backup", "create", "--to", str(old.parent), BACKUP_PASSPHRASE=PASSPHRASE)
        assert again.returncode == 0, again.stderr
        assert [path.name for path in old.parent.iterdir()] == [Path(json.loads(again.stdout)["backup"]).name]


@contextlib.contextmanager
def standby(b: Bench) -> Iterator[str]:
    """Give the address of a server that follows the stack's database."""
    listen = f"127.0.0.1:{free_port()}"
    data = b.stack.folder / f"standby-{uuid.uuid4().hex[:8]}"
    made = b.tool("operations.standby", "create", "--data", str(data))
    assert made.returncode == 0, made.stderr
    with (b.stack.folder / f"{data.name}.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "reference_service.operations.standby", "serve", "--data", str(data), "--listen", listen],
            env=b.environment(), stdout=log, stderr=log, cwd=Path(__file__).parents[2],
        )  # fmt: skip
    try:
        b.becomes(lambda: b.tool("operations.standby", "status", "--standby", listen).returncode == 0, 60.0, "following")
        yield listen
    finally:
        server.send_signal(signal.SIGINT)  # a fast end
        server.wait(15)


def nobody_is_promoted_beside_a_primary(b: Bench) -> None:
    with standby(b) as listen:
        refused = b.tool("operations.standby", "promote", "--standby", listen)
        assert (refused.returncode, "still answers" in refused.stderr) == (5, True)
        assert b.tool("operations.standby", "status", "--standby", listen).returncode == 0


PATIENT = {"first_content_timeout_s": "7", "deadline_s": "7.5"}
OPERATION_CHECKS = {
    "balancer-untyped-503": (with_nobody_ready_the_answer_is_typed, {}),
    "balancer-repeats-posts": (a_request_whose_instance_dies_is_not_paid_twice, {"instances": 2, **PATIENT}),
    "canary-sticks": (a_canary_that_is_taken_back_has_nothing, {"instances": 2}),
    "standby-promoted-beside-its-primary": (nobody_is_promoted_beside_a_primary, {}),
    "backup-kept-for-ever": (a_backup_ends_with_its_thirty_days, {}),
    "backup-restores-nothing": (a_backup_brings_the_accounts_back, {}),
    "backup-environment-in-clear": (a_backup_shows_no_secret, {}),
}
"""The defect, the check that catches it, and the settings that both services of the check run with."""
