"""Undo lists: what is written is what is read, and a step is done or says why not."""

import http.server
import json
import os
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import FaultError
from harness.faults.guardian.healing import heal
from harness.faults.guardian.leftovers import heal_leftovers
from harness.faults.guardian.undo import FileStep, HttpStep, ResumeStep, UndoList, from_json, to_json
from harness.faults.procfs import bound

http_steps = st.builds(HttpStep, method=st.sampled_from(["DELETE", "POST"]), url=st.text(), body=st.none() | st.text())
resume_steps = st.builds(ResumeStep, pid=st.integers(1, 2**22), start_ticks=st.integers(0, 2**60))
file_steps = st.builds(FileStep, path=st.text(), text=st.text())
undo_lists = st.builds(
    UndoList,
    guardian_pid=st.integers(1, 2**22),
    guardian_ticks=st.integers(0, 2**60),
    steps=st.dictionaries(st.text(), st.lists(http_steps | resume_steps | file_steps, max_size=3).map(tuple), max_size=4),
)
NOBODY = {"guardian_pid": 2**22 + 5, "guardian_ticks": 1}


@given(undo_lists)
def test_a_list_comes_back_from_the_disk_as_it_was_in_the_same_order(undo):
    read = from_json(to_json(undo), "undo-1.json")  # type: ignore[arg-type]
    assert read == undo
    assert list(read.steps) == list(undo.steps)


class Answering(http.server.BaseHTTPRequestHandler):
    asked: list[tuple[str, str, bytes]]
    status = 204

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.asked.append((self.command, self.path, body))
        self.send_response(self.status)
        self.send_header("content-length", "0")
        self.end_headers()

    do_DELETE = do_POST = answer  # noqa: N815 - the names that the library looks for

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[str, type[Answering]]]:
    handler = type("Handler", (Answering,), {"asked": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}", handler
        running.shutdown()


def test_a_call_is_made_as_it_stands_on_the_list(server):
    url, handler = server
    assert heal(HttpStep(method="DELETE", url=f"{url}/faults?id=a%20b")) is None
    assert heal(HttpStep(method="POST", url=f"{url}/proxies/x", body='{"enabled": true}')) is None
    assert handler.asked == [("DELETE", "/faults?id=a%20b", b""), ("POST", "/proxies/x", b'{"enabled": true}')]


def test_what_is_gone_already_is_healed(server):
    url, handler = server
    handler.status = 404
    assert heal(HttpStep(method="DELETE", url=f"{url}/x")) is None


def test_what_is_refused_is_not_healed(server):
    url, handler = server
    handler.status = 500
    assert heal(HttpStep(method="DELETE", url=f"{url}/x")) == f"DELETE {url}/x was answered 500"


def test_no_proxy_of_the_environment_is_asked(server, monkeypatch):
    url, handler = server
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert heal(HttpStep(method="DELETE", url=f"{url}/x")) is None
    assert len(handler.asked) == 1


def test_a_server_that_is_gone_took_its_faults_along(server):
    assert heal(HttpStep(method="DELETE", url="http://127.0.0.1:9/x")) is None


def test_a_process_that_is_gone_needs_no_thawing():
    assert heal(ResumeStep(pid=2**22 + 5, start_ticks=1)) is None


def test_leftovers_that_cannot_be_healed_stay_and_say_what_to_do(tmp_path, server):
    url, handler = server
    handler.status = 500
    steps = {"a": [{"step": "http", "method": "DELETE", "url": f"{url}/x", "body": None}]}
    path = tmp_path / "undo-1.json"
    path.write_text(json.dumps({"schema": "harness.undo/1", **NOBODY, "steps": steps}))
    assert heal_leftovers(tmp_path) == [
        f"fault a was left behind and could not be healed; by hand: DELETE {url}/x was answered 500"
    ]
    handler.status = 204
    assert heal_leftovers(tmp_path) == ["healed fault a, left behind by a run that was killed"]
    assert list(tmp_path.iterdir()) == []


def test_an_empty_list_that_was_left_behind_goes_without_a_word(tmp_path):
    path = tmp_path / "undo-1.json"
    path.write_text(json.dumps({"schema": "harness.undo/1", **NOBODY, "steps": {}}))
    assert heal_leftovers(tmp_path) == []
    assert not path.exists()


def test_the_list_of_a_guardian_that_lives_is_left_alone(tmp_path, server):
    url, handler = server
    myself = bound(os.getpid())
    assert myself is not None
    steps = {"a": (HttpStep(method="DELETE", url=f"{url}/x"),)}
    path = tmp_path / "undo-1.json"
    path.write_bytes(to_json(UndoList(guardian_pid=myself.pid, guardian_ticks=myself.start_ticks, steps=steps)))
    assert heal_leftovers(tmp_path) == []
    assert path.exists()
    assert handler.asked == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"schema": "harness.undo/2"}', '{"schema": "harness.undo/1", "steps": 3}']
)
def test_a_file_that_is_no_undo_list_is_named_and_left_alone(tmp_path, text):
    path = tmp_path / "undo-1.json"
    path.write_text(text)
    told = heal_leftovers(tmp_path)
    assert len(told) == 1
    assert str(path) in told[0]
    assert path.exists()


def test_a_step_of_an_unknown_sort_is_refused(tmp_path):
    data = json.dumps({"schema": "harness.undo/1", **NOBODY, "steps": {"a": [{"step": "shell", "command": "x"}]}})
    with pytest.raises(FaultError, match="unknown step 'shell'"):
        from_json(data.encode(), tmp_path / "undo-1.json")


def test_a_directory_that_is_not_there_holds_no_leftovers(tmp_path):
    assert heal_leftovers(tmp_path / "never") == []


def test_a_file_gets_its_text_back_and_nothing_is_left_beside_it(tmp_path):
    (tmp_path / "clock").write_text("+86400")
    step = FileStep(path=str(tmp_path / "clock"), text="+0")
    assert heal(step) is None
    assert heal(step) is None, "twice does no harm"
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"clock": "+0"}


def test_a_file_whose_directory_has_gone_needs_nothing_and_one_that_cannot_be_written_is_told(tmp_path):
    assert heal(FileStep(path=str(tmp_path / "gone" / "clock"), text="+0")) is None
    (tmp_path / "clock").mkdir()
    told = heal(FileStep(path=str(tmp_path / "clock"), text="+0"))
    assert told is not None
    assert "write '+0' to" in told
