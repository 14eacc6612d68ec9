import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from harness.target.supervise import marker
from harness.target.supervise.marker import Marker
from harness.target.supervise.procfs import Identity

GONE = Identity(pid=2**22 + 1, start_ticks=7)  # above the largest pid that Linux gives out


def a_marker(**changes: object) -> Marker:
    made = Marker(
        stack_id="0123456789abcdef",
        place=marker.this_place(),
        control=GONE,
        keeper=GONE,
        directory="/nowhere/llm-harness-0123456789abcdef",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_marker_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = a_marker().with_child("postgres", Identity(pid=12, start_ticks=34))
    marker.write(tmp_path, written)
    (read,) = marker.read_all(tmp_path)
    assert replace(read, written_s=0.0) == written
    assert read.written_s > 0


def test_a_later_marker_of_a_stack_replaces_the_earlier_one(tmp_path: Path) -> None:
    marker.write(tmp_path, a_marker())
    marker.write(tmp_path, a_marker().with_child("redis", GONE))
    assert [child for found in marker.read_all(tmp_path) for child in found.children] == [("redis", GONE)]


def test_a_marker_that_is_cut_short_or_misnamed_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "cut.stack.json").write_text('{"stack_id": "cut", "pla')
    (tmp_path / "list.stack.json").write_text("[]")
    marker.write(tmp_path, a_marker())
    (tmp_path / f"{a_marker().stack_id}.stack.json").rename(tmp_path / "other.stack.json")
    assert marker.read_all(tmp_path) == []


def test_no_state_directory_means_no_markers(tmp_path: Path) -> None:
    assert marker.read_all(tmp_path / "absent") == []


def test_the_file_says_what_a_person_needs_to_find_the_stack(tmp_path: Path) -> None:
    marker.write(tmp_path, a_marker(control=Identity(pid=5, start_ticks=6)))
    document = json.loads(next(tmp_path.iterdir()).read_text())
    assert document["control"] == {"pid": 5, "start_ticks": 6}
    assert document["directory"].endswith("llm-harness-0123456789abcdef")


def test_the_state_directory_is_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert marker.default_state_directory() == tmp_path / "state/llm-harness"
    monkeypatch.setenv("XDG_STATE_HOME", "relative/is/ignored")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert marker.default_state_directory() == tmp_path / ".local/state/llm-harness"


def test_a_home_that_cannot_be_written_falls_back_to_the_temporary_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    monkeypatch.setenv("XDG_STATE_HOME", str(blocked))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = marker.default_state_directory()
    assert found == tmp_path / f"llm-harness-state-{os.geteuid()}"
    marker.write(found, a_marker())
    marker.remove(found, a_marker().stack_id)
    assert not found.exists()
