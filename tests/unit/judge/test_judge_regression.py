"""Regressions: found when there, not found when not, undecided on too little, refused on another configuration."""

from dataclasses import replace
from pathlib import Path

import pytest
from run_builder import RunBuilder, S, error_rate, failed, healthy_samples, latency

from harness.errors import ConfigurationError
from harness.judge import judge
from harness.judge.regression import MAX_BYTES, NAME, baseline_of, check_comparable, read_baseline
from harness.measure import read_run
from harness.model.judgement import Judgement, Status
from harness.model.sample import Sample
from harness.rundir import RunDirectory, codec

ASKED = (latency(during=("steady",)), error_rate(0.5, during=("steady",)))


class Compared(RunBuilder):
    """A builder whose plan asks for a comparison."""

    def plan(self):  # type: ignore[no-untyped-def]
        return replace(super().plan(), baseline="base.json")


def saved(path: Path, rows: list[Sample] | None = None) -> bytes:
    run = RunBuilder(objectives=ASKED, samples=rows or healthy_samples()).build(path / "base")
    return codec.to_pretty_json(baseline_of(read_run(run), judge(run)))


def compared(path: Path, baseline: bytes | None, rows: list[Sample], **more: object) -> dict[str, Judgement]:
    run = Compared(objectives=ASKED, samples=rows, **more).build(path / "new")  # type: ignore[arg-type]
    if baseline is not None:
        (run.path / NAME).write_bytes(baseline)
        run.write_manifest()
    return {f"{row.id}/{row.phase}": row for row in judge(run).results if row.kind == "regression"}


def slower(rows: list[Sample], factor: float) -> list[Sample]:
    return [
        r
        if r.ended_ns is None or not 2 * S <= r.intended_ns < 11 * S
        else replace(r, ended_ns=r.intended_ns + round((r.ended_ns - r.intended_ns) * factor))
        for r in rows
    ]


def uneven() -> list[Sample]:
    """Return a healthy run whose times are spread over 300 to 700 ms, in no order."""
    return [replace(r, ended_ns=r.intended_ns + 300_000_000 + (r.seq * 7919 % 401) * 1_000_000) for r in healthy_samples()]


def test_the_same_run_again_is_not_worse(tmp_path: Path) -> None:
    rows = compared(tmp_path, saved(tmp_path, uneven()), uneven())
    assert rows["error-rate-regression/steady"].status is Status.PASS
    assert rows["slower-than-p50/steady"].status is not Status.FAIL
    assert "slower-than-p95/steady" in rows


def test_a_share_that_grew_by_more_than_chance_and_the_effect_is_a_regression(tmp_path: Path) -> None:
    worse = [failed(r) if r.seq % 5 == 0 else r for r in healthy_samples()]
    rows = compared(tmp_path, saved(tmp_path), worse)
    assert rows["error-rate-regression/steady"].status is Status.FAIL
    assert "a regression" in rows["error-rate-regression/steady"].reason


def test_answers_twice_as_slow_within_every_limit_are_a_regression(tmp_path: Path) -> None:
    rows = compared(tmp_path, saved(tmp_path, uneven()), slower(uneven(), 2.0))
    assert rows["slower-than-p95/steady"].status is Status.FAIL
    assert rows["latency-p95-regression/steady"].status is Status.PASS  # its own limit of 5 s is far away


def test_a_handful_of_requests_decides_nothing(tmp_path: Path) -> None:
    few = [replace(r, seq=n) for n, r in enumerate(r for r in healthy_samples() if r.seq % 20 == 0)]
    rows = compared(tmp_path, saved(tmp_path), few)
    assert rows["error-rate-regression/steady"].status is Status.INCONCLUSIVE


def test_no_baseline_where_one_was_asked_for_is_inconclusive_and_says_so(tmp_path: Path) -> None:
    rows = compared(tmp_path, None, healthy_samples())
    (row,) = rows.values()
    assert row.status is Status.INCONCLUSIVE
    assert "no baseline was found at base.json" in row.reason


def test_a_baseline_that_was_changed_after_the_run_makes_it_invalid(tmp_path: Path) -> None:
    run = Compared(objectives=ASKED, samples=healthy_samples()).build(tmp_path / "new")
    (run.path / NAME).write_bytes(saved(tmp_path))
    run.write_manifest()
    data = (run.path / NAME).read_text().replace('"bad": 0', '"bad": 99')
    (run.path / NAME).write_text(data)
    assert judge(run).verdict is Status.INVALID


def test_a_baseline_of_another_load_is_refused(tmp_path: Path) -> None:
    run = RunBuilder(objectives=ASKED).build(tmp_path / "base")
    baseline = baseline_of(read_run(run), judge(run))
    other = replace(run.read_plan(), load=replace(run.read_plan().load, streamed_ratio=0.5))
    with pytest.raises(ConfigurationError, match="another configuration: its phases, load or faults differ"):
        check_comparable(baseline, other, "base.json")
    check_comparable(baseline, replace(run.read_plan(), seed=2), "base.json")


def test_only_a_passed_run_can_be_a_baseline(tmp_path: Path) -> None:
    run = RunBuilder(objectives=ASKED, samples=[failed(r) for r in healthy_samples()]).build(tmp_path / "bad")
    with pytest.raises(ConfigurationError, match="only a passed run can be a baseline"):
        baseline_of(read_run(run), judge(run))


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"schema": "harness.baseline/9"}', "\x00"])
def test_a_file_that_is_no_baseline_is_told_with_its_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "b.json").write_text(text)
    with pytest.raises(ConfigurationError, match=r"b\.json"):
        read_baseline(tmp_path / "b.json")


def test_a_baseline_is_read_as_it_was_written_and_stays_small(tmp_path: Path) -> None:
    data = saved(tmp_path, uneven())
    (tmp_path / "b.json").write_bytes(data)
    assert codec.to_pretty_json(read_baseline(tmp_path / "b.json")) == data
    assert len(data) < MAX_BYTES
    assert RunDirectory.open(tmp_path / "base").read_plan().baseline is None
