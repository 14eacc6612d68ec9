"""How streams end whose call broke off: each end by its own name, and the three that look whole and are not are findings."""

from dataclasses import replace
from pathlib import Path

import pytest
from run_builder import RunBuilder, call_of, failed, healthy_samples

from harness.judge import judge
from harness.model.error_kind import ErrorKind
from harness.model.judgement import Judgement, Status
from harness.model.outcome import Result
from harness.model.sample import Call, Sample

Case = tuple[Sample, list[Call]]
PLAIN = healthy_samples()[1:]


def _broken(row: Sample, chunks: int = 4) -> Call:
    return call_of(row, call_id=f"broken-{row.seq}", chunks=chunks, ended="cut", fault="cut")


def _again(row: Sample) -> Case:
    return row, [_broken(row), call_of(row)]


def _half(row: Sample) -> Case:
    return replace(row, chunks=4), [_broken(row)]


def _spliced(row: Sample) -> Case:
    return replace(row, chunks=14), [_broken(row), call_of(row)]


def _twice(row: Sample) -> Case:
    return replace(row, chunks=20), [call_of(row)]


def _error(row: Sample) -> Case:
    return failed(row, Result.MALFORMED, error_kind=ErrorKind.ERROR_EVENT), [_broken(row)]


def _break(row: Sample) -> Case:
    return failed(row, Result.MALFORMED, error_kind=ErrorKind.TRUNCATED), [_broken(row)]


def _judged(tmp_path: Path, cases: list[Case], plain: list[Sample] = PLAIN) -> Judgement | None:
    rows = [*cases, *((row, [call_of(row)]) for row in plain)]
    run = RunBuilder(
        samples=[row for row, _ in rows], calls=[call for _, calls in rows for call in calls], target_kind="external"
    )
    return next((result for result in judge(run.build(tmp_path / "run")).results if result.id == "streams"), None)


@pytest.mark.parametrize(
    ("case", "status", "words"),
    [
        (_again, Status.PASS, "1 whole by another call"),
        (_error, Status.PASS, "1 an error event"),
        (_break, Status.PASS, "1 a break"),
        (_half, Status.WARN, "1 half and passed for whole"),
        (_spliced, Status.WARN, "1 behind text of a broken call"),
        (_twice, Status.WARN, "1 text that came twice"),
    ],
)
def test_each_end_has_its_name(tmp_path: Path, case, status: Status, words: str) -> None:  # type: ignore[no-untyped-def]
    result = _judged(tmp_path, [case(healthy_samples()[0])])
    assert result is not None
    assert (result.status, words in result.reason) == (status, True)
    assert bool(result.evidence) is (status is Status.WARN)


def test_of_a_target_that_cuts_its_chunks_anew_nothing_is_said_of_text_that_comes_twice(tmp_path: Path) -> None:
    result = _judged(tmp_path, [_spliced(healthy_samples()[0])], plain=[replace(row, chunks=3) for row in PLAIN])
    assert result is not None
    assert result.status is Status.PASS
    assert "its chunks are not the provider's" in result.reason


def test_without_streams_there_is_nothing_to_tell(tmp_path: Path) -> None:
    assert _judged(tmp_path, [], plain=[replace(row, streamed=False) for row in healthy_samples()]) is None
