"""A described target is started, linked, provisioned, seen to answer, and leaves nothing behind: no process, no secret."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import ConfigurationError, StackError
from harness.model.target import Needs, approach_of
from harness.target.description import read_description
from harness.target.external import ExternalTarget
from harness.target.external.preflight import ask_once, calls_at
from harness.target.external.running import RunningExternal

PROGRAM = """
import json, os, sys, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

print("my admin key is", os.environ["ADMIN"], flush=True)
KEYS = set()

class Gateway(BaseHTTPRequestHandler):
    def do_GET(self):
        self.reply(200, {"ok": True})
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/keys":
            if self.headers.get("x-admin") != os.environ["ADMIN"]:
                return self.reply(403, {"error": {"code": "admin"}})
            asked = json.loads(body)
            key = "gk-" + asked["name"] + "-" + str(asked["cap"])
            KEYS.add(key)
            return self.reply(200, {"data": [{"secret": key}]})
        if self.headers.get("x-key") not in KEYS:
            return self.reply(401, {"error": {"code": "key"}})
        head = {"content-type": "application/json", "authorization": "Bearer x"}
        request = urllib.request.Request(os.environ["MODEL_URL"] + "/chat/completions", body, head)
        with urllib.request.urlopen(request) as answer:
            self.reply(200, json.loads(answer.read()), {"x-version": "7.1"})
    def reply(self, status, body, headers={}):
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", "content-length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
    def log_message(self, *_):
        pass

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Gateway).serve_forever()
"""

DESCRIPTION = """\
name: small
base_url: http://127.0.0.1:${port}
version: {header: x-version}
start:
  command: ["${python}", gateway.py, "${port}"]
  env: {ADMIN: "${random.admin}", MODEL_URL: "${provider.primary.url}/v1"}
  ready: {get: /health, within: 20s}
provider: {endpoints: {primary: {listen: auto}}}
auth: {header: x-key, value: "${key}"}
provision: {post: /keys, headers: {x-admin: "${random.admin}"}, body: {name: "${principal}", cap: "${cap_usd}"}, key: "$.data[0].secret"}
models: {normal: sim-small}
correlate: [{prompt_tag: true}]
"""


def _target(tmp_path: Path, text: str = DESCRIPTION, program: str = PROGRAM) -> ExternalTarget:
    (tmp_path / "gateway.py").write_text(program)
    (tmp_path / "target.yaml").write_text(text)
    return ExternalTarget(read_description(tmp_path / "target.yaml"), state_directory=tmp_path / "state")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningExternal]:
    tmp_path = tmp_path_factory.mktemp("small")
    running = _target(tmp_path).start(Needs(principals=2, capped_principals={"capped": 0.5}), tmp_path / "logs")
    yield running
    running.stop()


def test_principals_are_made_as_the_description_says_with_their_caps(running: RunningExternal) -> None:
    assert running.keys == {"user-0000": "gk-user-0000-None", "user-0001": "gk-user-0001-None", "capped": "gk-capped-0.5"}
    approach = approach_of(running)
    assert (approach.auth_header, approach.auth_value) == ("x-key", "${key}")


def test_the_version_is_the_one_that_an_answer_tells(running: RunningExternal) -> None:
    assert running.reference.version == "7.1"


def test_the_first_request_leaves_no_trace_in_the_provider_s_records(running: RunningExternal) -> None:
    assert calls_at(running.provider_control_url) == []


def test_a_request_is_joined_with_the_calls_that_it_caused(running: RunningExternal) -> None:
    found, calls = ask_once(running, _offer(running))
    assert found.outcome.result == "answered"
    assert [(call["endpoint"], call["model"]) for call in calls] == [("primary", "sim-small")]
    assert calls[0]["tag"]


def _offer(running: RunningExternal):  # type: ignore[no-untyped-def]
    from harness.target.external.offer import offer_of

    path = Path(running.foreign.folder) / "target.yaml"  # type: ignore[union-attr]
    return offer_of(read_description(path))


def test_a_killed_service_is_started_again_in_its_place(running: RunningExternal) -> None:
    before = running.landscape.processes["service"]
    os.kill(before.pid, 9)
    for _ in range(200):
        if running.died():
            break
        running.site.supervisor.wait_for_news(within_s=0.05)
    assert [dead.name for dead in running.died()] == ["service"]
    after = running.start_again("service")
    assert after.pid != before.pid
    assert running.died() == []


def test_nothing_stays_and_no_secret_is_in_the_logs(tmp_path: Path) -> None:
    running = _target(tmp_path).start(Needs(principals=1), tmp_path / "logs")
    pid, scratch = running.landscape.processes["service"].pid, running.site.directory
    running.stop()
    running.stop()
    assert not Path(f"/proc/{pid}").exists()
    assert not scratch.exists()
    assert list((tmp_path / "state").iterdir()) == []
    said = (tmp_path / "logs" / "service.log").read_text()
    assert said == "my admin key is ***\n"


def test_a_service_that_ends_at_its_start_shows_its_last_words_masked(tmp_path: Path) -> None:
    program = 'import os, sys\nprint("cannot bind with", os.environ["ADMIN"])\nsys.exit(3)\n'
    with pytest.raises(StackError, match=r"service ended with exit code 3 before it was ready(.|\n)*cannot bind with \*\*\*"):
        _target(tmp_path, program=program).start(Needs(principals=1), tmp_path / "logs")
    assert list((tmp_path / "state").iterdir()) == []


def test_a_call_that_cannot_be_joined_is_refused_with_the_key_that_would_help(tmp_path: Path) -> None:
    text = DESCRIPTION.replace("correlate: [{prompt_tag: true}]\n", "")
    with pytest.raises(ConfigurationError, match=r"cannot be joined(.|\n)*correlate: \[\{prompt_tag: true\}\]"):
        _target(tmp_path, text).start(Needs(principals=1), tmp_path / "logs")


def test_a_process_by_pid_file_is_bound_and_never_one_of_ours(tmp_path: Path) -> None:
    (tmp_path / "mine.pid").write_text(f"{os.getpid()}\n")
    text = DESCRIPTION + "processes: {db: {pid_file: mine.pid}}\n"
    with pytest.raises(ConfigurationError, match=r"processes.db: pid \d+ is not touched: it is the harness itself"):
        _target(tmp_path, text).start(Needs(principals=1), tmp_path / "logs")


def test_a_command_may_make_the_keys_and_its_words_are_masked(tmp_path: Path) -> None:
    maker = (
        "import json, sys, urllib.request, os\n"
        "keys = {}\n"
        "for part in json.load(sys.stdin)['principals']:\n"
        "    body = json.dumps({'name': part['name'], 'cap': part['budget_usd']}).encode()\n"
        "    head = {'x-admin': os.environ['ADMIN'], 'content-type': 'application/json'}\n"
        "    with urllib.request.urlopen(urllib.request.Request(os.environ['URL'] + '/keys', body, head)) as answer:\n"
        "        keys[part['name']] = json.load(answer)['data'][0]['secret']\n"
        "print(json.dumps({'keys': keys}))\n"
    )
    (tmp_path / "keys.py").write_text(maker)
    lines = [line for line in DESCRIPTION.splitlines() if not line.startswith("provision")]
    env = '{ADMIN: "${random.admin}", URL: "http://127.0.0.1:${port}"}'
    text = "\n".join(lines) + f'\nprovision: {{command: ["${{python}}", "${{here}}/keys.py"], env: {env}}}\n'
    running = _target(tmp_path, text).start(Needs(principals=1), tmp_path / "logs")
    running.stop()
    assert running.keys == {"user-0000": "gk-user-0000-None"}
    assert json.loads((tmp_path / "logs" / "provision.log").read_text()) == {"keys": {"user-0000": "***"}}


def test_what_an_instance_logs_during_the_run_is_kept_masked_and_what_it_logged_before_is_not(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("of yesterday\n")
    text = DESCRIPTION + 'instances: [{name: a, base_url: "http://127.0.0.1:${port}", log: {file: a.log}}]\n'
    running = _target(tmp_path, text).start(Needs(principals=1), tmp_path / "logs")
    try:
        with log.open("a") as file:
            file.write(f"served {running.keys['user-0000']}\n")
    finally:
        running.stop()
    assert (tmp_path / "logs" / "instance-a.log").read_text() == "served ***\n"


def test_a_log_that_is_not_there_is_told_with_its_place(tmp_path: Path) -> None:
    text = DESCRIPTION + 'instances: [{name: a, base_url: "http://127.0.0.1:${port}", log: {file: none.log}}]\n'
    with pytest.raises(ConfigurationError, match=r"target\.yaml:13:.*none\.log cannot be read: No such file"):
        _target(tmp_path, text).start(Needs(principals=1), tmp_path / "logs")
