"""A described target whose calls go on to a "real" provider, a second simulated one: metered, breakable, and its key kept from all."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import ConfigurationError
from harness.model.target import Needs
from harness.target.description import read_description
from harness.target.external import ExternalTarget
from harness.target.external.caller import Caller
from harness.target.external.preflight import ask_once, calls_at

PROGRAM = """
import json, os, sys, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Gateway(BaseHTTPRequestHandler):
    def do_GET(self):
        self.reply(200, {})
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        head = {"content-type": "application/json", "authorization": "Bearer " + os.environ["KEY"]}
        try:
            with urllib.request.urlopen(urllib.request.Request(os.environ["URL"] + "/chat/completions", body, head)) as answer:
                self.reply(200, json.loads(answer.read()))
        except OSError as error:
            self.reply(502, {"error": {"code": str(error)}})
    def reply(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def log_message(self, *_):
        pass

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Gateway).serve_forever()
"""
DESCRIPTION = """\
name: real
base_url: http://127.0.0.1:${port}
start:
  command: ["${python}", gateway.py, "${port}"]
  env: {KEY: "${provider.key}", URL: "${provider.primary.url}/v1"}
  ready: {get: /health, within: 20s}
provider: {endpoints: {primary: {upstream: {url: "${env:REAL_URL}", key: "${env:REAL_KEY}"}}}}
auth: {header: x-key, value: none}
models: {normal: sim-small}
budget: {prices: {sim-small: {input_usd_per_mtok: 0.1, output_usd_per_mtok: 0.1}}}
limits: {spend_usd: 0.5}
correlate: [{prompt_tag: true}]
"""
REAL_KEY = "sk-the-real-one-0123456789"


@pytest.fixture(scope="module")
def real() -> Iterator[dict[str, str]]:
    command = [sys.executable, "-m", "harness.provider", "--endpoint", "primary=127.0.0.1:0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        yield {"endpoint": said["endpoints"]["primary"], "control": f"http://{said['control']}"}
    finally:
        process.kill()
        process.communicate()


def _target(tmp_path: Path, url: str) -> ExternalTarget:
    (tmp_path / "gateway.py").write_text(PROGRAM)
    (tmp_path / "target.yaml").write_text(DESCRIPTION)
    environment = {"REAL_URL": url, "REAL_KEY": REAL_KEY}
    return ExternalTarget(read_description(tmp_path / "target.yaml"), state_directory=tmp_path / "state", environment=environment)


def test_a_real_provider_is_asked_metered_and_broken_and_its_key_seen_by_nobody(tmp_path: Path, real: dict[str, str]) -> None:
    target = _target(tmp_path, f"http://{real['endpoint']}/v1")
    running = target.start(Needs(principals=1), tmp_path / "logs")
    with contextlib.closing(_Stopped(running)):
        found, (mine,) = ask_once(running, target.offer())
        theirs = calls_at(real["control"])[-1]
        assert found.outcome.result == "answered"
        assert (mine["endpoint"], mine["tag"]) == ("primary", theirs["tag"])
        assert mine["completion_tokens"] == theirs["completion_tokens"]
        assert mine["cost_usd"] == pytest.approx(theirs["cost_usd"])
        fault = {"id": "x", "endpoint": "primary", "kind": "status", "parameters": {"code": 503}}
        control = Caller(str(running.provider_control_url))
        assert control.ask("PUT", "/faults", body=json.dumps(fault).encode(), timeout_s=5.0).status == 200
        asked_before = len(calls_at(real["control"]))
        broken, _ = ask_once(running, target.offer())
        assert broken.status == 502
        assert len(calls_at(real["control"])) == asked_before
        service = running.landscape.processes["service"]
        assert REAL_KEY.encode() not in Path(f"/proc/{service.pid}/environ").read_bytes()
        provider = running.site.handles()["provider"]
        for place in ("environ", "cmdline"):
            assert REAL_KEY.encode() not in Path(f"/proc/{provider.pid}/{place}").read_bytes()
    assert REAL_KEY not in "".join(path.read_text() for path in (tmp_path / "logs").iterdir())


class _Stopped:
    def __init__(self, running: object) -> None:
        self.close = running.stop  # type: ignore[attr-defined]


def test_a_real_provider_elsewhere_is_not_asked_unless_somebody_typed_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"203\.0\.113\.7 is not this machine(.|\n)*--allow 203\.0\.113\.7"):
        _target(tmp_path, "https://203.0.113.7/v1").start(Needs(principals=1), tmp_path / "logs")
    assert list((tmp_path / "state").iterdir()) == []
