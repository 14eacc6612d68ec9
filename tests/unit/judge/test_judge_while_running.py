"""A run that is still going on is read by nobody but itself, and a killed one is closed by whoever reads it first."""

import datetime
import shutil
from pathlib import Path

import pytest
from run_builder import RunBuilder, latency

from harness.errors import ConfigurationError, RunDirectoryError
from harness.judge import judge
from harness.measure import read_run
from harness.model.journal import Event
from harness.readiness import find_runs
from harness.readiness.runs import RunRules, read_runs
from harness.run.release import ReleaseRequest, decide_release
from harness.run.session import judge_and_report
from harness.rundir import RunDirectory
from harness.rundir.pack import pack

NOW = datetime.datetime(2026, 11, 29, tzinfo=datetime.UTC)


def under_way(path: Path) -> RunDirectory:
    return RunBuilder(objectives=(latency(),), closed=False, manifest=False, events=(Event.RUN_STARTED,)).build(path)


def test_a_run_that_is_going_on_is_closed_by_nobody_else(tmp_path: Path) -> None:
    run = under_way(tmp_path / "run")
    other = RunDirectory.open(run.path)
    with run.written():
        for read in (read_run, judge, judge_and_report):
            with pytest.raises(RunDirectoryError, match="still going on"):
                read(other)
        with pytest.raises(RunDirectoryError, match="still going on"):
            pack(run.path, tmp_path / "run.tar.gz")
        assert not run.samples_path.exists(), "what is half there was closed as if it were all"
        judge_and_report(run)  # it is its own to close
    assert run.samples().num_rows == 640
    assert judge(other).run_id == run.read_plan().run_id


def test_what_is_asked_of_a_run_that_is_going_on_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from harness.cli.main import main

    run = under_way(tmp_path / "run")
    with run.written():
        for words in (["show"], ["show", "--json"], ["explain"], ["judge"], ["export"]):
            with pytest.raises(SystemExit):
                main([*words, str(run.path)])
            said = capsys.readouterr().err
            assert "still going on" in said
            assert "not judged" not in said


def test_a_release_is_told_of_a_run_that_is_going_on(tmp_path: Path) -> None:
    run = under_way(tmp_path / "run")
    with run.written():
        readiness = decide_release(ReleaseRequest(directories=[tmp_path])).readiness
    assert "run run cannot be read and proves nothing: its run is still going on" in [
        problem.text for problem in readiness.problems
    ]
    assert not run.samples_path.exists()


@pytest.mark.parametrize("reader", [read_run, judge])
def test_a_killed_run_is_sealed_by_whoever_reads_it_first(tmp_path: Path, reader) -> None:  # type: ignore[no-untyped-def]
    run = under_way(tmp_path / "run")
    reader(run)
    assert run.tampered() == []
    verdict, _ = judge_and_report(run)
    assert "manifest" not in verdict.reason
    pack(run.path, tmp_path / "run.tar.gz")


def test_samples_that_were_taken_away_are_missed_and_not_sealed_anew(tmp_path: Path) -> None:
    run = under_way(tmp_path / "run")
    read_run(run)
    run.samples_path.unlink()
    verdict, _ = judge_and_report(run)
    assert "changed after the run: samples/samples.parquet" in verdict.reason
    assert run.tampered() == ["samples/samples.parquet"]


def test_a_killed_run_that_nobody_read_yet_is_not_packed_and_the_way_is_told(tmp_path: Path) -> None:
    run = under_way(tmp_path / "run")
    with pytest.raises(ConfigurationError, match="never closed") as raised:
        pack(run.path, tmp_path / "run.tar.gz")
    assert "harness judge" in str(raised.value.advice)
    assert not (tmp_path / "run.tar.gz").exists()


def test_a_killed_run_is_one_to_a_release_the_first_time_and_the_second(tmp_path: Path) -> None:
    run = under_way(tmp_path / "run")
    shutil.copytree(run.path, tmp_path / "again")
    texts = []
    for _ in range(2):
        paths, _problems = find_runs([tmp_path / "again"])
        placed, problems = read_runs(paths, judge, RunRules(now=NOW, max_age_days=None, superseded=(), catalogue={}))
        texts.append(([each.why_not for _, each in placed], problems))
    assert texts[0] == texts[1]
