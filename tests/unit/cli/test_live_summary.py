import io
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))
from report_fixtures import failing_results, hostile_run, make_verdict, write_run

from harness.cli.summary import print_verdict
from harness.model.judgement import InstrumentHealth, Status, Verdict
from harness.rundir import RunDirectory


def printed(run: RunDirectory, verdict: Verdict, *, colour: bool = False) -> str:
    stream = io.StringIO()
    print_verdict(verdict, run, stream, colour=colour)
    return stream.getvalue()


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return write_run(tmp_path / "run", make_verdict(), measured=False)


def test_the_verdict_stands_first_then_why_then_each_result_with_figure_limit_interval_and_n(run: RunDirectory) -> None:
    text = printed(run, make_verdict(Status.FAIL, failing_results()))
    lines = [line for line in text.splitlines() if line.strip()]
    assert lines[0] == "  ✗ FAIL  provider-outage"
    assert lines[1].startswith("  Latency-p95 failed in outage: 561 of 600 requests")
    assert "  ✓ latency-p95 in steady            p95 < 5s: p95 1.21 s (interval 1.1 s to 1.4 s)" in lines
    assert any("between 91.5 % and 95.1 % at 95 % confidence each; must be <= 5 %" in line for line in lines)
    assert any("inconclusive: 30 of 600 requests were bad" in line for line in lines)
    assert any("acted 612 times by the proxy's records, proved clear at 65.09 s" in line for line in lines)
    assert any("instrument valid: 1,900 of 1,900 sent" in line for line in lines)


def test_it_says_where_the_report_is_or_the_run_where_there_is_none(run: RunDirectory) -> None:
    assert f"run directory {run.path}" in printed(run, make_verdict())
    (run.path / "report.html").write_text("x")
    assert f"report {run.path / 'report.html'}" in printed(run, make_verdict())


def test_what_did_not_pass_comes_with_the_next_command_to_type(run: RunDirectory) -> None:
    assert f"why    harness explain {run.path}" in printed(run, make_verdict(Status.FAIL, failing_results()))
    assert "harness explain" not in printed(run, make_verdict())


def test_an_instrument_that_failed_and_a_fault_that_never_acted_are_not_hidden(run: RunDirectory) -> None:
    verdict = make_verdict(Status.INVALID)
    health = InstrumentHealth(intended=9, sent=3, lag_p99_ms=None, loop_lag_p99_ms=None, cpu_ratio=None, valid=False,
                              problems=("6 arrivals were never sent",))  # fmt: skip
    fault = replace(verdict.faults[0], acted=None, proved_clear_ns=None)
    text = printed(run, replace(verdict, instrument=health, faults=(fault,)))
    assert "instrument NOT VALID: 3 of 9 sent" in text
    assert "6 arrivals were never sent" in text
    assert "has no proof that it acted, never proved clear" in text


def test_colour_is_added_only_when_asked_for(run: RunDirectory) -> None:
    assert "\x1b[1;31m✗ FAIL\x1b[0m" in printed(run, make_verdict(Status.FAIL, failing_results()), colour=True)
    assert "\x1b" not in printed(run, make_verdict(Status.FAIL, failing_results()))


def test_hostile_text_cannot_steer_the_terminal(tmp_path: Path) -> None:
    run = hostile_run(tmp_path / "hostile")
    text = printed(run, run.verdict())
    assert not set(text) & {chr(code) for code in range(0x20) if code != 0x0A}
    assert "\u202e" not in text
    assert "\\x1b[31mred" in text


def test_a_terminal_that_lacks_our_symbols_gets_escapes_and_no_error(run: RunDirectory) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    print_verdict(make_verdict(), run, stream, colour=False)
    assert b"\\u2713 PASS" in raw.getvalue()
