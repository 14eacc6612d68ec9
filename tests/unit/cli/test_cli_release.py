"""`harness report`, `sign`, `explain`, `compare` and `pack` over run directories made by hand, through the command line."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "judge"))
from run_builder import RunBuilder, S, error_rate, failed, healthy_samples, latency, sample

from harness.cli import main
from harness.judge import judge_and_write
from harness.model.outcome import Result
from harness.model.plan import Plan
from harness.readiness.history import append, ended, started

CHECKLIST = """
title: Ours
signers: [Kim Release]
rows:
  - {id: F5, title: "p95 below 5 s", proven_by: [outage/latency-p95]}
  - {id: R8, title: "errors below 5 %", proven_by: [outage/error-rate]}
"""


class _Rehearsed(RunBuilder):
    changes: dict[str, object] = {}  # noqa: RUF012 - set once by `build_run`

    def plan(self) -> Plan:
        return replace(super().plan(), rehearsed=True, **self.changes)  # type: ignore[arg-type]


def build_run(path: Path, *, broken: bool = False, run_id: str = "run-1", **changes: object) -> Path:
    samples = healthy_samples()
    if broken:
        samples = [failed(row, Result.TIMEOUT) if 12 <= row.intended_ns / S < 22 else row for row in samples]
    builder = _Rehearsed(objectives=(latency(), error_rate()), samples=samples)
    builder.changes = {"run_id": run_id, **changes}
    run = builder.build(path)
    verdict = judge_and_write(run)
    plan = run.read_plan()
    history = path.parent / "history.jsonl"
    append(history, started(plan, "2026-01-01T00:00:00.000+00:00"))
    append(history, ended(plan, verdict, "2026-01-01T00:01:00.000+00:00"))
    return path


@pytest.fixture
def checklist(tmp_path: Path) -> Path:
    path = tmp_path / "checklist.yaml"
    path.write_text(CHECKLIST)
    return path


def harness(*words: object) -> int:
    with pytest.raises(SystemExit) as ended_with:
        main([str(word) for word in words])
    code = ended_with.value.code
    assert isinstance(code, int)
    return code


def decided(out: Path) -> dict[str, object]:
    document: dict[str, object] = json.loads((out / "readiness.json").read_bytes())
    return document


def report(checklist: Path, out: Path, *words: object) -> int:
    return harness("report", *words, "--checklist", checklist, "--out", out, "--release", "1.0", "--format", "json,md")


def test_a_run_that_passed_makes_the_release_ready(tmp_path: Path, checklist: Path) -> None:
    assert report(checklist, tmp_path / "out", build_run(tmp_path / "a")) == 0
    document = decided(tmp_path / "out")
    assert document["decision"] == "ready"
    assert [row["attempts"] for row in document["rows"]] == [1, 1]  # type: ignore[attr-defined]
    assert {each["kind"] for each in document["inputs"]} == {"checklist", "history", "run"}  # type: ignore[attr-defined]


def test_a_broken_run_makes_it_not_ready_also_when_only_the_history_knows_it(tmp_path: Path, checklist: Path) -> None:
    broken = build_run(tmp_path / "a", broken=True)
    passed = build_run(tmp_path / "b", run_id="run-2")
    assert report(checklist, tmp_path / "both", broken, passed) == 1
    assert report(checklist, tmp_path / "one", passed) == 1
    assert "run-1, which the history knows" in json.dumps(decided(tmp_path / "one"))


def _append(name: str) -> Callable[[Path], None]:
    def spoil(run: Path) -> None:
        with (run / name).open("ab") as file:
            file.write(b"\n")

    return spoil


def _edit(name: str, before: str, after: str) -> Callable[[Path], None]:
    def spoil(run: Path) -> None:
        text = (run / name).read_text()
        assert before in text
        (run / name).write_text(text.replace(before, after, 1))

    return spoil


@pytest.mark.parametrize(("spoil", "told"), [
    (_append("samples/samples.parquet"), "samples/samples.parquet"),
    (_append("live.jsonl"), "not what was measured"),
    (lambda run: (run / "manifest.json").unlink(), "not what was measured"),
    (lambda run: (run / "truth" / "calls.parquet").unlink(), "not what was measured"),
    (_edit("plan.json", "harness.plan/1", "harness.plan/2"), "harness.plan/2"),
    (_edit("verdict.json", '"pass"', '"fail"'), "verdict.json says fail"),
    (lambda run: (run / "plan.json").write_text("{"), "cannot be read"),
])  # fmt: skip
def test_a_run_that_was_changed_is_said_and_keeps_the_release_from_being_ready(
    tmp_path: Path, checklist: Path, spoil: Callable[[Path], None], told: str
) -> None:
    run = build_run(tmp_path / "a")
    spoil(run)
    assert report(checklist, tmp_path / "out", run) == 3
    assert told in " ".join(decided(tmp_path / "out")["reasons"])  # type: ignore[arg-type]


def test_a_verdict_that_was_edited_to_pass_does_not_pass(tmp_path: Path, checklist: Path) -> None:
    run = build_run(tmp_path / "a", broken=True)
    text = (run / "verdict.json").read_text().replace('"fail"', '"pass"')
    (run / "verdict.json").write_text(text)
    (tmp_path / "history.jsonl").unlink()
    assert report(checklist, tmp_path / "out", run) == 1


def test_a_run_with_set_or_without_rehearsal_proves_no_row(tmp_path: Path, checklist: Path) -> None:
    changed = build_run(tmp_path / "a", overrides=("phases.outage.for=1s",))
    assert report(checklist, tmp_path / "one", changed) == 3
    unrehearsed = RunBuilder(objectives=(latency(), error_rate())).build(tmp_path / "b")
    judge_and_write(unrehearsed)
    assert report(checklist, tmp_path / "two", unrehearsed.path) == 3


def test_an_old_run_proves_nothing(tmp_path: Path, checklist: Path) -> None:
    assert report(checklist, tmp_path / "out", build_run(tmp_path / "a"), "--max-age", "14d") == 3


def test_a_directory_that_is_no_run_and_an_age_without_a_unit_are_usage_errors(tmp_path: Path, checklist: Path) -> None:
    assert report(checklist, tmp_path / "out", tmp_path) == 2
    assert report(checklist, tmp_path / "out", build_run(tmp_path / "a"), "--max-age", "14") == 2
    assert not (tmp_path / "out").exists()


def test_a_signed_document_is_verified_until_something_is_changed(tmp_path: Path, checklist: Path) -> None:
    run, out, key = build_run(tmp_path / "a"), tmp_path / "out", tmp_path / "release.key"
    assert harness("sign", "--new-key", key) == 0
    assert harness("sign", "--new-key", tmp_path / "other.key") == 0
    assert report(checklist, out, run, "--sign", key) == 0
    public = tmp_path / "release.key.pub"
    assert harness("report", "--verify", out, run, "--key", public) == 0
    assert harness("report", "--verify", out, "--key", tmp_path / "other.key.pub") == 1
    assert harness("report", "--verify", out) == 1
    (out / "readiness.md").write_text("READY")
    assert harness("report", "--verify", out, "--key", public) == 1


def test_runs_are_verified_as_they_were_reported_a_directory_of_several_too(
    tmp_path: Path, checklist: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    together, out, key = tmp_path / "gate", tmp_path / "out", tmp_path / "release.key"
    run = build_run(together / "01-outage")
    (together / "run.json").write_text(json.dumps({"runs": [{"directory": "01-outage"}]}))
    assert harness("sign", "--new-key", key) == 0
    assert report(checklist, out, together, "--sign", key) == 0
    assert harness("report", "--verify", out, together, "--key", key) == 0
    assert "run-1 is what was judged" in capsys.readouterr().err
    run.rename(tmp_path / "elsewhere")
    assert harness("report", "--verify", out, together, "--key", key) == 1
    assert "gate/run.json names the run 01-outage, and it is not there" in capsys.readouterr().err


def test_a_document_is_not_signed_without_a_key_and_nothing_is_written(tmp_path: Path, checklist: Path) -> None:
    words = ("report", build_run(tmp_path / "a"), "--checklist", checklist, "--out", tmp_path / "out", "--format", "intoto")
    assert harness(*words) == 2
    assert not (tmp_path / "out").exists()


def test_only_a_named_signer_may_sign_and_the_decision_is_on_the_digest(tmp_path: Path, checklist: Path) -> None:
    out, key = tmp_path / "out", tmp_path / "release.key"
    harness("sign", "--new-key", key)
    report(checklist, out, build_run(tmp_path / "a"), "--sign", key)
    assert harness("sign", out, "--as", "Kim Relaese", "--decision", "go", "--reason", "x") == 2
    assert harness("sign", out, "--as", "Kim Release", "--decision", "go", "--reason", "all settled", "--key", key) == 0
    record = json.loads((out / "readiness.signoff.jsonl").read_bytes())
    assert (record["decision"], record["evidence_says"]) == ("go", "ready")
    assert harness("report", "--verify", out, "--key", key) == 0
    (out / "readiness.signoff.jsonl").write_text(json.dumps(record | {"reason": "edited"}) + "\n")
    assert harness("report", "--verify", out, "--key", key) == 1


def test_explain_joins_a_request_with_its_call_and_its_log_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    slow = [sample(row.seq, row.intended_ns / S, 6.0) if 240 <= row.seq < 300 else row for row in healthy_samples()]
    run = RunBuilder(objectives=(latency(),), samples=slow).build(tmp_path / "a")
    (run.logs / "service.log").write_text('{"request_id":"req-250","event":"slow","query":"secret"}\nreq-2501 other\n')
    judge_and_write(run)
    assert harness("explain", run.path, 250) == 0
    text = capsys.readouterr().out
    assert "call call-250 to primary" in text
    assert "service.log:1: event slow" in text
    assert "secret" not in text
    assert "req-2501" not in text
    assert harness("explain", run.path, "latency-p95/outage", "--requests", 0) == 0
    assert "60 of 60 late or failed answers waited for the provider" in capsys.readouterr().out
    assert harness("explain", run.path, "latency-p59") == 2
    assert harness("explain", run.path, 99999) == 2


def test_compare_finds_the_broken_run_worse_and_refuses_one_that_was_asked_otherwise(tmp_path: Path) -> None:
    base, broken = build_run(tmp_path / "a"), build_run(tmp_path / "b", broken=True, run_id="run-2")
    assert harness("compare", base, broken) == 1
    page = tmp_path / "compared.html"
    assert harness("compare", base, broken, "--html", str(page)) == 1
    text = page.read_text("utf-8")
    assert text.count('class="plot') == 2, (
        "the differences, for a desk and a phone; the runs were not measured for the distributions"
    )
    assert "one of the runs has no distribution" in text
    assert "<script" not in text
    assert "outage bad share" in text
    assert "✗</span> WORSE" in text
    assert harness("compare", base, base, "--share-effect", "10%", "--effect", "50%") == 0
    other = RunBuilder(objectives=(latency(),)).build(tmp_path / "c")
    judge_and_write(other)
    assert harness("compare", base, other.path) == 2


def test_a_pack_is_the_same_each_time_and_a_changed_run_is_not_packed(tmp_path: Path) -> None:
    run = build_run(tmp_path / "a")
    assert harness("pack", run, "--out", tmp_path / "one.tar.gz") == 0
    for path in run.rglob("*"):
        path.touch()
    assert harness("pack", run, "--out", tmp_path / "two.tar.gz") == 0
    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "two.tar.gz").read_bytes()
    _append("journal.jsonl")(run)
    assert harness("pack", run, "--out", tmp_path / "three.tar.gz") == 2
    assert not list(tmp_path.glob("*three*"))
    assert harness("pack", run, "--out", tmp_path / "one.tar.gz") == 2
