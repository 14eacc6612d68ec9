"""Runs that nobody watches, end to end: repeated, told of to a webhook and to Grafana, and ended healed by their deadline."""

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from forge import run

sys.path.insert(0, str(Path(__file__).parent))
from test_external_message import HELPDESK, ROOT, TARGET

NOTIFY = """\
notify:
  - {webhook: "${env:HOOK}"}
  - {grafana: {url: "${env:GRAFANA}", token: "${env:TOKEN}"}}
"""

SCENARIO = """\
name: nobody-watches
title: A short fault
load: {arrivals: {process: constant, rate: 12/s}, mix: {knowledge: 100%}}
phases:
  - {name: steady, kind: steady, for: 2s}
  - {name: slow, kind: fault, for: 3s, faults: [{at: provider.primary, kind: latency, latency: 200}]}
objectives: [{error rate: "< 60%"}]
"""

TOKEN = "glsa-of-the-tests"


class Listener(http.server.ThreadingHTTPServer):
    """Takes whatever it is sent, and keeps it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.taken: list[tuple[str, str | None, dict[str, Any]]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Taking(http.server.BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.taken.append((self.path, self.headers["authorization"], body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("unattended")
    (place / "helpdesk.py").write_text(HELPDESK)
    (place / "target.yaml").write_text(TARGET + NOTIFY)
    (place / "short.yaml").write_text(SCENARIO)
    return place


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    server = Listener()
    yield server
    server.shutdown()


def _run(folder: Path, listener: Listener, out: str, *more: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "EMPTY": "",
        "HOOK": f"{listener.url}/hook/sEcReT",
        "GRAFANA": listener.url,
        "TOKEN": TOKEN,
        "GITHUB_STEP_SUMMARY": str(folder / f"{out}.summary"),
        "XDG_STATE_HOME": str(folder / "state"),
        "NO_COLOR": "1",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "harness", "run", "short.yaml", "--target", "target.yaml", "--out", out, *more]
    return run(command, env=environment, cwd=folder, timeout_s=115)


@pytest.fixture(scope="module")
def repeated(folder: Path, listener: Listener) -> tuple[subprocess.CompletedProcess[str], list[Any]]:
    done = _run(folder, listener, "twice", "--repeat", "2", "--seed", "7", "--label", "night=1", "--no-rehearsal")
    taken, listener.taken = listener.taken, []
    return done, taken


def _runs(folder: Path, out: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / out / "run.json").read_text())["runs"]
    return found


def test_each_repetition_is_a_run_of_its_own_with_the_next_seed(folder: Path, repeated) -> None:
    done, _ = repeated
    runs = _runs(folder, "twice")
    assert len(runs) == 2, done.stderr
    verdicts = [json.loads((folder / "twice" / run["directory"] / "verdict.json").read_text()) for run in runs]
    assert [verdict["seed"] for verdict in verdicts] == [7, 8]
    assert {verdict["labels"]["night"] for verdict in verdicts} == {"1"}
    assert len({verdict["run_id"] for verdict in verdicts}) == 2
    assert "nobody-watches: 2 of 2 runs: " in done.stderr
    # A noisy machine may make a run invalid; what the pipeline reads is the gravest of the two, whatever they are.
    codes = [verdict["exit_code"] for verdict in verdicts]
    assert done.returncode == next(code for code in (1, 4, 3, 0) if code in codes)
    assert (folder / "twice.summary").read_text().count("nobody-watches") >= 2


def test_a_webhook_hears_how_each_went_from_its_load_to_its_exit_code(folder: Path, repeated) -> None:
    done, taken = repeated
    told = [body for path, _, body in taken if path == "/hook/sEcReT"]
    verdicts = [json.loads((folder / "twice" / run["directory"] / "verdict.json").read_text()) for run in _runs(folder, "twice")]
    for verdict in verdicts:
        mine = [body for body in told if body["run_id"] == verdict["run_id"]]
        assert [body["event"] for body in mine] == ["load.started", "fault.confirmed", "fault.proved_clear", "run.ended"]
        assert (mine[-1]["verdict"], mine[-1]["exit_code"]) == (verdict["verdict"], verdict["exit_code"])
        assert {body["labels"]["night"] for body in mine} == {"1"}
    assert "WARNING: notify" not in done.stderr


def test_grafana_gets_each_fault_as_a_region_and_no_secret_is_written_anywhere(folder: Path, repeated) -> None:
    done, taken = repeated
    annotations = [(token, body) for path, token, body in taken if path == "/api/annotations"]
    assert {token for token, _ in annotations} == {f"Bearer {TOKEN}"}
    regions = [body for _, body in annotations if "timeEnd" in body]
    assert len(regions) == 2
    assert all(1000 < region["timeEnd"] - region["time"] < 60_000 for region in regions)
    written = done.stdout + done.stderr
    for path in (folder / "twice").rglob("*"):
        written += path.read_text("utf-8", "replace") if path.is_file() and path.suffix != ".parquet" else ""
    assert TOKEN not in written
    assert "sEcReT" not in written


def test_a_deadline_ends_what_is_going_on_healed_and_judged_and_starts_no_more(folder: Path, listener: Listener) -> None:
    # Two runs of 5 s of phases, each with a start, a drain and an end of some seconds: 12 s pass in one of them for certain.
    done = _run(folder, listener, "late", "--repeat", "2", "--deadline", "12s", "--no-rehearsal")
    assert done.returncode == 6, done.stderr
    assert "the deadline of 12s" in done.stderr
    directories = [path for path in sorted((folder / "late").iterdir()) if path.is_dir()]
    assert 1 <= len(directories) <= 2
    entries = [json.loads(line) for path in directories for line in (path / "journal.jsonl").read_text().splitlines()]
    confirmed = [entry["subject"] for entry in entries if entry["event"] == "fault.confirmed"]
    cleared = [entry["subject"] for entry in entries if entry["event"] == "fault.proved_clear"]
    assert len(confirmed) == len(cleared), "every fault that was confirmed was proved clear"
    assert [body["exit_code"] for path, _, body in listener.taken if path.startswith("/hook") and body["event"] == "run.ended"]
    leftovers = _run(folder, listener, "again", "--repeat", "1", "--deadline", "4s", "--no-rehearsal")
    assert leftovers.returncode == 2, "a deadline that the phases alone do not keep is refused before anything starts"
    assert not (folder / "again").exists()
