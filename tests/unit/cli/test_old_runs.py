"""Only what is a run for certain is removed, the newest stay, and what is live or the latest is never touched."""

import os
from pathlib import Path

import pytest

from harness.cli.old_runs import old_runs, remove
from harness.errors import ConfigurationError
from harness.rundir import RunDirectory


def run(path: Path, age: int) -> Path:
    path.mkdir(parents=True)
    for name in ("plan.json", "journal.jsonl"):
        (path / name).write_text("{}")
    os.utime(path, (1000 - age, 1000 - age))
    return path


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_the_oldest_go_and_what_is_no_run_stays(tmp_path: Path) -> None:
    for index, name in enumerate(("new", "old", "oldest")):
        run(tmp_path / name, index)
    (tmp_path / "readiness-1.4").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "plan.json").write_text("{}")
    (tmp_path / "history.jsonl").write_text("")
    assert names(old_runs(tmp_path, 1, frozenset())) == ["oldest", "old"]
    assert names(old_runs(tmp_path, 3, frozenset())) == []
    for path in old_runs(tmp_path, 0, frozenset()):
        remove(path)
    assert sorted(names(list(tmp_path.iterdir()))) == ["history.jsonl", "mine", "readiness-1.4"]


def test_several_runs_in_one_are_one_run(tmp_path: Path) -> None:
    several = tmp_path / "several"
    run(several / "01-a", 0)
    run(several / "02-b", 0)
    assert old_runs(tmp_path, 0, frozenset()) == []
    (several / "run.json").write_text("{}")
    assert names(old_runs(tmp_path, 0, frozenset())) == ["several"]


def test_the_latest_and_the_live_stay_whatever_their_age(tmp_path: Path) -> None:
    latest, live = run(tmp_path / "latest-run", 9), tmp_path / "several" / "01-a"
    run(live, 9)
    (tmp_path / "several" / "run.json").write_text("{}")
    run(tmp_path / "old", 8)
    (tmp_path / "latest").symlink_to(latest.name)
    assert names(old_runs(tmp_path, 0, frozenset({live}))) == ["old"]


def test_what_is_being_written_stays_even_where_no_list_of_live_runs_has_it(tmp_path: Path) -> None:
    alone, one_of_two = run(tmp_path / "alone", 9), run(tmp_path / "several" / "01-a", 9)
    (tmp_path / "several" / "run.json").write_text("{}")
    with RunDirectory(alone).written(), RunDirectory(one_of_two).written():
        assert names(old_runs(tmp_path, 0, frozenset())) == []
    assert sorted(names(old_runs(tmp_path, 0, frozenset()))) == ["alone", "several"]


def test_a_directory_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such directory"):
        old_runs(tmp_path / "none", 1, frozenset())
