"""The fault proxy as a process: how it says that it is there, and how it goes."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

COMMAND = [sys.executable, "-m", "harness.faultproxy"]


def started(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_a_signal_ends_it_with_0_and_closes_its_links(number: signal.Signals) -> None:
    with (
        started("--host", "127.0.0.1", "--port", "0", "--seed", "1") as process,
        socket.create_server(("127.0.0.1", 0)) as server,
    ):
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        ready = json.loads(line)
        assert ready == {"event": "ready", "api": ready["api"]}
        upstream = f"127.0.0.1:{server.getsockname()[1]}"
        body = {"name": "p", "listen": "127.0.0.1:0", "upstream": upstream, "toxics": [{"type": "timeout"}]}
        with httpx.Client(trust_env=False) as client:
            listen = client.post(f"http://{ready['api']}/proxies", json=body).json()["listen"]
        host, port = listen.split(":")
        with socket.create_connection((host, int(port)), timeout=5) as link:
            accepted, _ = server.accept()
            with accepted:
                process.send_signal(number)
                assert process.wait(5) == 0
                assert link.recv(1) == b""
        assert process.stdout.read() == ""
        assert process.stderr.read() == ""


def test_a_port_in_use_is_one_line_and_exit_5() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run([*COMMAND, "--port", str(port)], capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.count("\n") == 1
    assert f"127.0.0.1:{port}" in done.stderr
    assert "address already in use" in done.stderr
    assert "--port" in done.stderr


@pytest.mark.parametrize("options", [["--port", "70000"], ["--port", "x"], ["--host", "no such host"]])
def test_a_bad_option_is_refused_without_a_traceback(options: list[str]) -> None:
    done = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode in (2, 5)
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_hundred_idle_links_leave_nothing_behind_when_their_clients_go() -> None:
    with started("--port", "0") as process, socket.create_server(("127.0.0.1", 0), backlog=200) as server:
        assert process.stdout is not None
        api = json.loads(process.stdout.readline())["api"]
        body = {"name": "p", "listen": "127.0.0.1:0", "upstream": f"127.0.0.1:{server.getsockname()[1]}"}
        with httpx.Client(trust_env=False) as client:
            host, port = client.post(f"http://{api}/proxies", json=body).json()["listen"].split(":")
        descriptors = Path(f"/proc/{process.pid}/fd")
        before = len(list(descriptors.iterdir()))
        clients = [socket.create_connection((host, int(port)), timeout=5) for _ in range(100)]
        servers = [server.accept()[0] for _ in range(100)]
        for each in clients:
            each.close()
        for each in servers:
            assert each.recv(1) == b""
            each.close()
        for _ in range(200):
            if len(list(descriptors.iterdir())) <= before:
                break
            with httpx.Client(trust_env=False) as client:
                client.get(f"http://{api}/version")
        assert len(list(descriptors.iterdir())) <= before + 1
        process.terminate()
        assert process.wait(5) == 0
