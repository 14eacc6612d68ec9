"""`harness init`, `try` and `validate` as a person types them, against a service of a few lines."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from forge import run

from harness.target.description import read_description

ROOT = Path(__file__).parents[2]
KEY = "sk-typed-by-a-person"


class _Gateway(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = {"/v1/models": {"data": [{"id": "gpt-small"}, {"id": "gpt-large"}]}, "/ready": {"ok": True}}
        self._reply(200 if self.path in known else 404, known.get(self.path, {"detail": "no"}))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.headers.get("authorization") != f"Bearer {KEY}":
            return self._reply(401, {"error": {"code": "invalid_api_key"}})
        answer = {
            "choices": [{"index": 0, "message": {"role": "assistant", "content": f"you are {KEY}"}, "finish_reason": "stop"}]
        }
        return self._reply(200, answer, {"x-cost-usd": "0.001", "x-cache-status": "MISS", "x-gw-version": "3"})

    def _reply(self, status: int, body: object, more: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", "content-length": str(len(data)), **(more or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Gateway)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def _harness(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "GATEWAY_KEY": KEY,
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "NO_COLOR": "1",
        "PYTHONPATH": str(ROOT),
    }
    return run([sys.executable, "-m", "harness", *arguments], env=environment, cwd=tmp_path, timeout_s=100)


def test_init_writes_what_a_service_tells_and_says_what_it_does_not(gateway: str, tmp_path: Path) -> None:
    done = _harness(tmp_path, "init", "mine", "--probe", gateway, "--key-env", "GATEWAY_KEY")
    assert done.returncode == 0, done.stderr
    document = read_description(tmp_path / "mine" / "target.yaml").document
    assert document.base_url == gateway
    assert document.models == {"normal": "gpt-small"}
    assert document.health is not None
    assert document.health.get == "/ready"
    assert document.signals.cost is not None
    assert document.signals.cost.header == "x-cost-usd"
    assert document.refusals.auth[0].status == [401]
    assert document.version is not None
    assert "not found: signals.fallback: no header of the answer speaks of it" in done.stderr
    assert "not found: metrics" in done.stderr
    assert KEY not in (tmp_path / "mine" / "target.yaml").read_text() + done.stdout + done.stderr


def test_init_never_overwrites(gateway: str, tmp_path: Path) -> None:
    (tmp_path / "target.yaml").write_text("mine\n")
    done = _harness(tmp_path, "init", "--probe", gateway)
    assert done.returncode == 2
    assert (tmp_path / "target.yaml").read_text() == "mine\n"


def test_init_without_a_service_writes_a_description_that_reads(tmp_path: Path) -> None:
    assert _harness(tmp_path, "init", "new").returncode == 0
    assert _harness(tmp_path, "validate", "new/target.yaml").returncode == 0


def test_init_asks_nobody_off_this_machine(tmp_path: Path) -> None:
    done = _harness(tmp_path, "init", "far", "--probe", "http://203.0.113.7:1")
    assert done.returncode == 2
    assert "--allow 203.0.113.7" in done.stderr
    assert not (tmp_path / "far").exists()


def test_try_shows_one_exchange_with_every_signal_and_no_key(gateway: str, tmp_path: Path) -> None:
    _harness(tmp_path, "init", "mine", "--probe", gateway, "--key-env", "GATEWAY_KEY")
    done = _harness(tmp_path, "try", "--target", "mine/target.yaml")
    assert done.returncode == 0, done.stderr
    assert "Authorization: Bearer ***" in done.stdout
    assert "answered from primary" in done.stdout
    assert "holds signals.cost" in done.stdout
    assert "x-cost-usd: 0.001" in done.stdout
    assert "the description has no `provider`" in done.stdout
    assert KEY not in done.stdout + done.stderr
    done = _harness(tmp_path, "try", "--target", "mine/target.yaml", "--json")
    told = json.loads(done.stdout)
    assert (told["schema"], told["status"], told["outcome"]["result"]) == ("harness.try/1", 200, "answered")
    assert [row["holds"] for row in told["signals"] if row["line"] == "signals.cost"] == [True]
    assert "Authorization: Bearer ***" in told["request"]
    assert KEY not in done.stdout + done.stderr


def test_try_with_a_wrong_key_says_so_and_ends_with_2(gateway: str, tmp_path: Path) -> None:
    text = f'name: mine\nbase_url: {gateway}\nprincipals: {{a: {{key: "${{env:HOME}}"}}}}\n'
    (tmp_path / "target.yaml").write_text(text)
    done = _harness(tmp_path, "try", "--target", "target.yaml")
    assert done.returncode == 2
    assert "refuses our key with 401" in done.stderr


def test_a_scenario_that_the_target_has_nothing_for_is_refused_by_name(gateway: str, tmp_path: Path) -> None:
    (tmp_path / "target.yaml").write_text(
        f'name: mine\nbase_url: {gateway}\nprincipals: {{a: {{key: "${{env:GATEWAY_KEY}}"}}}}\n'
    )
    done = _harness(tmp_path, "run", "provider-outage", "--target", "target.yaml", "--out", "out")
    assert done.returncode == 2
    assert "the target's description has no `provider.endpoints.primary`" in done.stderr
    assert not (tmp_path / "out").exists()


def test_validate_tells_a_target_s_mistakes_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("name: t\nbase_url: http://127.0.0.1:1\nprincipal: {}\n")
    done = _harness(tmp_path, "validate", "t.yaml")
    assert done.returncode == 2
    assert done.stderr.startswith("t.yaml:3:12: unknown key 'principal'")
    assert "(did you mean 'principals'?)" in done.stderr
