"""Commands that look into a run say what is wrong with one that was damaged, never judged, or is several."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "judge"))
from run_builder import RunBuilder, latency

from harness.cli.main import main


def told(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


@pytest.mark.parametrize("junk", [b"\xff\xfe\x00", b"{", b'{"schema": "harness.verdict/9"}', b""])
def test_a_verdict_that_is_none_is_not_handed_on_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str], junk: bytes) -> None:
    run = RunBuilder(objectives=(latency(),)).build(tmp_path / "run")
    (run.path / "verdict.json").write_bytes(junk)
    code, out, err = told(capsys, "show", "--json", run.path)
    assert (code, out) == (5, "")
    assert f"error: {run.path}/verdict.json: " in err
    assert "bug" not in err


@pytest.mark.parametrize(("name", "code"), [("run.json", 2), ("readiness.json", 2)])
def test_an_index_or_a_release_that_is_none_is_not_handed_on_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, code: int
) -> None:
    (tmp_path / name).write_bytes(b"\xff\xfe\x00")
    assert told(capsys, "show", "--json", tmp_path)[:2] == (code, "")


@pytest.mark.parametrize("command", ["export", "explain"])
def test_a_run_that_was_not_judged_is_told_with_the_way(tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    run = RunBuilder(objectives=(latency(),)).build(tmp_path / "run")
    code, _, err = told(capsys, command, run.path)
    assert code == 5
    assert "the run was not judged" in err
    assert f"harness judge {run.path} does it" in err


def test_of_several_runs_one_is_to_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("01-a", "02-b"):
        RunBuilder(objectives=(latency(),)).build(tmp_path / name)
    code, _, err = told(capsys, "judge", tmp_path)
    assert (code, "there are runs in it; name one: 01-a, 02-b" in err) == (2, True)


def test_a_trend_or_an_earlier_release_that_is_none_is_a_name_to_mend(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = RunBuilder(objectives=(latency(),)).build(tmp_path / "run")
    (tmp_path / "none.json").write_text("junk")
    code, _, err = told(capsys, "trend", "--file", tmp_path / "trend.jsonl")
    assert (code, "no run is remembered there" in err) == (2, True)
    code, _, err = told(capsys, "report", run.path, "--previous", tmp_path / "none.json", "--out", tmp_path / "out")
    assert (code, "not a readiness document" in err) == (2, True)
