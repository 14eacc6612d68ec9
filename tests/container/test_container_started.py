"""A described target that is an image, or a compose file: started, asked, broken, ended, and nothing of it left."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.errors import ConfigurationError, StackError
from harness.faults import FaultInjector
from harness.faults.engine import Engine
from harness.model.fault import Fault
from harness.model.target import Needs
from harness.target.containers import clean_containers, label
from harness.target.containers.images import PUBLIC
from harness.target.description import read_description
from harness.target.external import ExternalTarget
from harness.target.external.preflight import ask_once
from harness.target.external.running import RunningExternal

PROGRAM = """
import json, os, sys, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

print("started with", os.environ["SECRET"], flush=True)

class Gateway(BaseHTTPRequestHandler):
    def do_GET(self):
        self.reply({"status": "ok"})
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        head = {"content-type": "application/json", "authorization": "Bearer x"}
        with urllib.request.urlopen(urllib.request.Request(os.environ["URL"] + "/chat/completions", body, head)) as answer:
            self.reply(json.loads(answer.read()))
    def reply(self, body):
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def log_message(self, *_):
        pass

ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Gateway).serve_forever()
"""
COMMON = """\
base_url: http://127.0.0.1:${port}
provider: {endpoints: {primary: {listen: auto}}}
auth: {value: none}
models: {normal: sim-small}
correlate: [{prompt_tag: true}]
"""
ENV = '{PORT: "${port}", URL: "${provider.primary.url}/v1", SECRET: "${random.secret}"}'
READY = "{get: /health, within: 60s}"


def _target(tmp_path: Path, text: str) -> ExternalTarget:
    path = tmp_path / "target.yaml"
    path.write_text(text)
    return ExternalTarget(read_description(path), state_directory=tmp_path / "state")


def _image(name: str = PUBLIC["base"], command: str = f"[python3, -u, -c, {json.dumps(PROGRAM)}]") -> str:
    return f"name: housed\n{COMMON}start: {{image: '{name}', command: {command}, env: {ENV}, ready: {READY}}}\n"


def _ours(engine: Engine, stack_id: str) -> list[str]:
    query = {"filters": json.dumps({"label": [f"{label.STACK}={stack_id}"]})}
    containers = engine.ask("GET", "/containers/json", query=query | {"all": "1"})
    networks = engine.ask("GET", "/networks", query=query)
    return [str(each["Labels"][label.NAME]) for each in (*containers, *networks)]


def _of_this_process(engine: Engine) -> list[str]:
    """Return what the engine has of this very process; other runs may be going on beside it."""
    query = {"filters": json.dumps({"label": [label.CONTROL]}), "all": "1"}
    listed = engine.ask("GET", "/containers/json", query=query)
    return [each["Labels"][label.NAME] for each in listed if json.loads(each["Labels"][label.CONTROL])["pid"] == os.getpid()]


def _break(running: RunningExternal, kind: str, at: str) -> None:
    """Apply a fault and clear it, confirmed and proved."""
    injector = FaultInjector(running.landscape, lambda *_, **__: None)
    try:
        injector.apply(Fault(id="f", at=at, kind=kind, phase="p", apply_ns=0, clear_ns=1))
        injector.clear("f")
    finally:
        assert injector.clear_all() == []


def test_an_image_is_a_target_that_is_killed_started_again_and_leaves_nothing(engine: Engine, tmp_path: Path) -> None:
    target = _target(tmp_path, _image())
    assert {"processes.service", "containers.service"} <= target.offer().places
    running = target.start(Needs(principals=1), tmp_path / "run" / "logs")
    stack_id = running.site.supervisor.stack_id
    try:
        assert _ours(engine, stack_id) == ["service"]
        found, calls = ask_once(running, target.offer())
        assert (found.outcome.result, len(calls)) == ("answered", 1)
        for kind in ("freeze", "kill"):
            _break(running, kind, "processes.service")
            assert running.died() == []
            assert ask_once(running, target.offer())[0].outcome.result == "answered"
        container_id = running.containers["service"].container_id
        engine.ask("POST", f"/containers/{container_id}/kill")
        deadline = time.monotonic() + 10
        while not running.died() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert [dead.name for dead in running.died()] == ["service"]
    finally:
        running.stop()
        running.stop()
    assert _ours(engine, stack_id) == []
    assert "started with ***\n" in (tmp_path / "run" / "logs" / "service.log").read_text()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (_image(command="[python3, -c, 'print(7); raise SystemExit(3)']"), r"ended with exit code 3(.|\n)*\n    7"),
        (_image(name="harness-test/nobody-has-this:1"), r"harness-test/nobody-has-this:1 is not here and cannot be pulled"),
    ],
    ids=["ends at its start", "no such image"],
)
def test_an_image_that_does_not_start_says_why_and_leaves_nothing(
    engine: Engine, tmp_path: Path, text: str, sentence: str
) -> None:
    before = _of_this_process(engine)  # the stack that the tests share may stand
    with pytest.raises(StackError, match=sentence):
        _target(tmp_path, text).start(Needs(principals=1), tmp_path / "run" / "logs")
    assert _of_this_process(engine) == before
    assert list((tmp_path / "state").iterdir()) == []


def test_what_a_killed_harness_leaves_of_an_image_is_cleaned(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "target.yaml").write_text(_image())
    program = (
        "import sys, time\nfrom pathlib import Path\n"
        "from harness.model.target import Needs\nfrom harness.target.description import read_description\n"
        "from harness.target.external import ExternalTarget\n"
        f"place = Path({str(tmp_path)!r})\n"
        "target = ExternalTarget(read_description(place / 'target.yaml'), state_directory=place / 'state')\n"
        "running = target.start(Needs(principals=1), place / 'run' / 'logs')\n"
        "print(running.site.supervisor.stack_id, flush=True)\ntime.sleep(120)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stdout is not None
        stack_id = process.stdout.readline().strip()
        assert _ours(engine, stack_id) == ["service"]
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    assert any(f"container service of stack {stack_id}" in line for line in clean_containers(engine))
    assert _ours(engine, stack_id) == []


COMPOSE = f"""\
services:
  gateway:
    image: {PUBLIC["base"]}
    network_mode: host
    command: [python3, -u, -c, "$PROGRAM"]
    environment: {{PORT: "${{PORT}}", URL: "${{URL}}", SECRET: "${{SECRET}}"}}
  redis:
    image: {PUBLIC["valkey"]}
    command: [valkey-server]
  toxiproxy:
    image: {PUBLIC["toxiproxy"]}
    command: ["-host=0.0.0.0", "-config=/etc/toxiproxy.json"]
    volumes: ["./toxiproxy.json:/etc/toxiproxy.json:ro"]
    ports: ["127.0.0.1:${{TOXI}}:8474", "127.0.0.1:${{REDIS}}:6379"]
"""
COMPOSED = f"""\
name: composed
{COMMON}start:
  compose: stack.yaml
  env: {{PORT: "${{port}}", URL: "${{provider.primary.url}}/v1", SECRET: "${{random.secret}}", TOXI: "${{port.toxi}}", REDIS: "${{port.redis}}"}}
  ready: {READY}
links: {{redis: {{toxiproxy: "http://127.0.0.1:${{port.toxi}}", proxy: redis, listen: "127.0.0.1:${{port.redis}}"}}}}
processes: {{service: {{container: gateway}}, redis: {{container: redis}}}}
"""


@pytest.fixture
def composed(tmp_path: Path) -> Path:
    program = PROGRAM.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("$", "$$")
    (tmp_path / "stack.yaml").write_text(COMPOSE.replace("$PROGRAM", program))
    proxy = {"name": "redis", "listen": "0.0.0.0:6379", "upstream": "redis:6379", "enabled": True}
    (tmp_path / "toxiproxy.json").write_text(json.dumps([proxy]))
    return tmp_path


def test_a_compose_file_is_a_target_whose_parts_and_links_are_broken_and_all_of_it_goes(engine: Engine, composed: Path) -> None:
    target = _target(composed, COMPOSED)
    assert {"processes.service", "containers.redis", "links.redis"} <= target.offer().places
    running = target.start(Needs(principals=1), composed / "run" / "logs")
    stack_id = running.site.supervisor.stack_id
    try:
        assert {"gateway", "redis", "toxiproxy"} <= set(_ours(engine, stack_id))
        assert ask_once(running, target.offer())[0].outcome.result == "answered"
        _break(running, "kill", "processes.service")
        assert ask_once(running, target.offer())[0].outcome.result == "answered"
        _break(running, "freeze", "processes.redis")
        _break(running, "down", "links.redis")
        assert running.died() == []
    finally:
        running.stop()
    assert _ours(engine, stack_id) == []
    assert "started with ***" in (composed / "run" / "logs" / "instance-gateway.log").read_text()


def test_a_part_that_the_compose_file_does_not_have_is_told_and_all_of_it_goes(engine: Engine, composed: Path) -> None:
    before = _of_this_process(engine)
    text = COMPOSED.replace("{container: redis}", "{container: rediss}")
    with pytest.raises(
        ConfigurationError, match=r"no service 'rediss'; it has gateway, redis, toxiproxy \(did you mean 'redis'\?\)"
    ):
        _target(composed, text).start(Needs(principals=1), composed / "run" / "logs")
    assert _of_this_process(engine) == before
