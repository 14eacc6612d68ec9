"""The trend keeps the figures of runs that are gone, says what it cannot read, and marks only what is certain."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))
from click.testing import CliRunner
from report_fixtures import failing_run, healthy_run, make_verdict

from harness.cli.commands.trend import command
from harness.compare.trend import PhaseFigures, append_figures, figures_of, read_trend, surely_above
from harness.errors import RunDirectoryError


def figures(low_s: float | None, high_s: float | None) -> PhaseFigures:
    return PhaseFigures(phase="p", judged=100, bad=0, p95_s=low_s, low_s=low_s, high_s=high_s)


def test_runs_are_remembered_by_their_start_and_once(tmp_path: Path) -> None:
    path = tmp_path / "trend.jsonl"
    first = figures_of(healthy_run(tmp_path / "a"), make_verdict())
    append_figures(path, replace(first, run_id="later", at="2026-05-01"))
    append_figures(path, first)
    append_figures(path, first)
    runs, problems = read_trend(path)
    assert [run.run_id for run in runs] == [first.run_id, "later"]
    assert problems == []
    outage = next(phase for phase in runs[0].phases if phase.phase == "outage")
    assert (outage.judged, outage.bad, outage.p95_s) == (590, 4, 4.1)
    assert runs[0].recovered_s == (2.31,)


def test_a_line_that_is_damaged_or_of_another_version_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "trend.jsonl"
    first = figures_of(healthy_run(tmp_path / "a"), make_verdict())
    path.write_bytes(b'{"run_id": 3}\n')
    append_figures(path, replace(first, run_id="x", schema="harness.trend/9"))
    append_figures(path, first)
    runs, problems = read_trend(path)
    assert [run.run_id for run in runs] == [first.run_id]
    assert ":1" in problems[0]
    assert "harness.trend/9" in problems[1]
    with pytest.raises(RunDirectoryError):
        read_trend(tmp_path / "none")


@pytest.mark.parametrize(
    ("new", "before", "above"),
    [
        ((2.0, 2.4), [(1.0, 1.5), (1.2, 1.9)], True),
        ((2.0, 2.4), [(1.0, 1.5), (1.2, 2.0)], False),
        ((2.0, None), [(1.0, 1.5)], True),
        ((2.0, 2.4), [(1.0, None)], False),
        ((None, None), [(1.0, 1.5)], False),
        ((2.0, 2.4), [], False),
    ],
)
def test_only_an_interval_that_lies_wholly_above_all_others_is_marked(new, before, above: bool) -> None:
    assert surely_above(figures(*new), [figures(*each) for each in before]) is above


def test_the_command_shows_runs_that_were_asked_alike_together(tmp_path: Path) -> None:
    path = tmp_path / "trend.jsonl"
    first = figures_of(healthy_run(tmp_path / "a"), make_verdict())
    slow = tuple(replace(phase, p95_s=9.0, low_s=8.9, high_s=9.1) for phase in first.phases)
    append_figures(path, first)
    append_figures(path, replace(first, run_id="2", at="2026-05-01T00:00:00Z", phases=slow))
    append_figures(
        path, replace(figures_of(failing_run(tmp_path / "b"), make_verdict()), run_id="3", at="2026-06-01", plan_digest="77")
    )
    told = CliRunner().invoke(command, ["provider-outage", "--file", str(path)], standalone_mode=False)
    assert told.output.count("asked alike") == 2
    assert told.output.count("▲") == len(first.phases), "the slow run, and neither the first of its kind nor the other plan"
    assert "p95 above every answer, 561 of 590 bad" in told.output
    names = CliRunner().invoke(command, ["--file", str(path)], standalone_mode=False)
    assert names.output == "provider-outage  3 run(s)\n"
    wrong = CliRunner().invoke(command, ["provider-outge", "--file", str(path)], standalone_mode=False)
    assert "did you mean 'provider-outage'" in str(wrong.exception)
