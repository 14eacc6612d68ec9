"""Runs that nobody watches: repeated, told to a listener, ended at a deadline."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from fault_runs import Terminal, journal, scenario, terminal
from test_external_target import DESCRIPTION, PROGRAM


class _Listener(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.heard.append((self.path, self.headers.get("authorization"), body))  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def listener() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Listener)
    server.heard = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def user(tmp_path: Path, listener: ThreadingHTTPServer) -> Iterator[Terminal]:
    with terminal(tmp_path) as user:
        address = f"http://127.0.0.1:{listener.server_port}"
        user.environment |= {"HOOK": f"{address}/hook-sEcReT", "GRAFANA": address, "TOKEN": "glsa_sEcReT"}
        (tmp_path / "gateway.py").write_text(PROGRAM)
        notify = 'notify: [{webhook: "${env:HOOK}"}, {grafana: {url: "${env:GRAFANA}", token: "${env:TOKEN}"}}]\n'
        (tmp_path / "target.yaml").write_text(DESCRIPTION + notify)
        yield user


def test_repetitions_are_told_to_listeners_and_a_deadline_ends_the_last(
    user: Terminal, tmp_path: Path, listener: ThreadingHTTPServer
) -> None:
    out, target = tmp_path / "runs", tmp_path / "target.yaml"
    path = scenario(
        tmp_path / "s.yaml", "[{at: provider.primary, kind: status, code: 503}]", steady="3s", outage="3s", recovery="3s"
    )
    done = user.harness("run", str(path), "--target", str(target), "--repeat", "2", "--out", str(out), "--json", within_s=120)
    verdicts = json.loads(done.stdout)
    assert [verdict["seed"] for verdict in verdicts] == [1, 2], done.stderr
    assert "by-hand: 2 of 2 runs:" in done.stderr
    assert [run["directory"] for run in json.loads((out / "run.json").read_text())["runs"]] == ["01-by-hand", "02-by-hand"]

    heard = listener.heard  # type: ignore[attr-defined]
    ends = [body for where, _, body in heard if where == "/hook-sEcReT" and body["event"] == "run.ended"]
    assert [body["exit_code"] for body in ends] == [verdict["exit_code"] for verdict in verdicts]
    regions = [(token, body) for where, token, body in heard if where == "/api/annotations" and "timeEnd" in body]
    assert [token for token, _ in regions] == ["Bearer glsa_sEcReT"] * 2
    assert all(1500 < body["timeEnd"] - body["time"] < 20_000 for _, body in regions)

    refused = user.harness("run", str(path), "--target", str(target), "--deadline", "9s", "--out", str(tmp_path / "no"))
    assert refused.returncode == 2
    assert "the phases alone take" in refused.stderr
    late = tmp_path / "late"
    path = scenario(path, "[{at: provider.primary, kind: status, code: 503}]", steady="3s", outage="15s", recovery="3s")
    ended = user.harness("run", str(path), "--target", str(target), "--deadline", "22s", "--out", str(late), within_s=90)
    assert ended.returncode == 6, ended.stderr
    assert "the deadline of 22s has passed" in ended.stderr
    entries = [each for each in journal(late) if not each["data"].get("rehearsal")]
    events = [each["event"] for each in entries]
    assert events.index("aborted") < events.index("stack.stopped")
    applied = [each["subject"] for each in entries if each["event"] == "fault.confirmed"]
    assert applied == [each["subject"] for each in entries if each["event"] == "fault.proved_clear"]
    everything = [done, refused, ended]
    assert not [each for each in everything if "sEcReT" in each.stdout + each.stderr]
    kept = [each for each in tmp_path.rglob("*") if each.is_file() and each.suffix in (".json", ".jsonl", ".md", ".html", ".log")]
    assert not [each for each in kept if b"sEcReT" in each.read_bytes()]
    assert list((user.state / "llm-harness").iterdir()) == []
