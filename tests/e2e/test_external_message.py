"""A service that speaks no OpenAI chat, described by a template and paths: asked, loaded, judged, and seen to fail when it does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from forge import run
from pyarrow import parquet

ROOT = Path(__file__).parents[2]
KEY = "sk-of-a-helpdesk"

HELPDESK = """\
import json, os, sys, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Helpdesk(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.reply(200, {})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.headers.get("x-desk") != "key " + os.environ["KEY"]:
            return self.reply(401, {"problem": "who are you"})
        chat = {"model": "sim-small", "max_tokens": 5, "messages": [{"role": "user", "content": asked["question"]["text"]}]}
        head = {"authorization": "Bearer x", "content-type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(os.environ["MODEL"], json.dumps(chat).encode(), head)) as answer:
            told = json.load(answer)
        text = told["choices"][0]["message"]["content"]
        if os.environ.get("EMPTY") and int(asked["number"]) % 2:
            text = ""
        self.reply(200, {"reply": {"text": text}, "usage": {"in": told["usage"]["prompt_tokens"]}})

    def reply(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Helpdesk).serve_forever()
"""

TARGET = """\
name: helpdesk
base_url: http://127.0.0.1:${port}
start:
  command: ["${python}", "${here}/helpdesk.py", "${port}"]
  env: {KEY: "${random.desk}", MODEL: "${provider.primary.url}/v1/chat/completions", EMPTY: "${env:EMPTY}"}
  ready: {get: /, within: 30s}
provider: {endpoints: {primary: {listen: auto}}}
auth: {header: x-desk, value: "key ${random.desk}"}
protocol: message
message: {url: /ask, body: {question: {text: "${prompt}"}, number: "${n}"}, answer: $.reply.text, prompt_tokens: $.usage.in}
refusals: {auth: [{status: [401]}]}
correlate: [{prompt_tag: true}]
"""

SCENARIO = """\
name: ask
title: It answers
load: {arrivals: {process: constant, rate: 15/s}, mix: {knowledge: 100%}, stream: 30%}
phases: [{name: steady, kind: steady, for: 5s}]
objectives: [{error rate: "< 5%"}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "helpdesk.py").write_text(HELPDESK)
    (tmp_path / "target.yaml").write_text(TARGET)
    (tmp_path / "ask.yaml").write_text(SCENARIO)
    return tmp_path


def _harness(folder: Path, *arguments: str, empty: str = "") -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "EMPTY": empty,
        "XDG_STATE_HOME": str(folder / "state"),
        "NO_COLOR": "1",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "harness", *arguments]
    return run(command, env=environment, cwd=folder, timeout_s=100)


def test_try_asks_in_its_words_and_joins_the_call(folder: Path) -> None:
    done = _harness(folder, "try", "--target", "target.yaml")
    assert done.returncode == 0, done.stderr
    assert "POST /ask HTTP/1.1" in done.stdout
    assert "answered from primary with" in done.stdout
    assert "joined by the prompt tag" in done.stdout


def test_a_run_counts_an_answer_that_says_nothing_as_malformed_and_fails(folder: Path) -> None:
    done = _harness(folder, "run", "ask.yaml", "--target", "target.yaml", "--out", "out", empty="yes")
    assert done.returncode == 1, done.stderr
    rows = parquet.read_table(folder / "out/samples/samples.parquet").to_pylist()
    assert len(rows) == 75
    assert {str(row["result"]) for row in rows} == {"answered", "malformed"}
    assert {row["seq"] % 2 for row in rows if row["result"] == "malformed"} == {1}
    assert not any(row["streamed"] for row in rows)
    answered = [row for row in rows if row["result"] == "answered"]
    assert len(answered) >= 30
    assert all(row["prompt_tokens"] and len(row["call_ids"]) == 1 for row in answered)
