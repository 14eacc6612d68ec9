import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
from report_fixtures import failing_run, healthy_results, healthy_run, hostile_run, make_verdict, write_run

from harness.model.judgement import Status
from harness.report import write_reports
from harness.rundir import RunDirectory


def _suite(run: RunDirectory) -> ET.Element:
    document = ET.fromstring(write_reports(run, ["junit"])[0].read_bytes())  # noqa: S314 - written by the line itself
    suite = document.find("testsuite")
    assert suite is not None
    return suite


def test_there_is_one_case_for_each_result_and_labels_are_properties(tmp_path: Path) -> None:
    run = healthy_run(tmp_path / "run")
    suite = _suite(run)
    assert [case.get("name") for case in suite.findall("testcase")][:2] == ["latency-p95 [steady]", "latency-p95 [outage]"]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("7", "0", "0", "0")
    properties = {p.get("name"): p.get("value") for p in suite.findall("properties/property")}
    assert properties["label.branch"] == "main"
    assert properties["seed"] == "1"


def test_fail_is_a_failure_inconclusive_an_error_and_only_not_applicable_is_skipped(tmp_path: Path) -> None:
    suite = _suite(failing_run(tmp_path / "run"))
    inside = [next((child.tag for child in case if child.tag != "properties"), None) for case in suite.findall("testcase")]
    assert inside == ["system-out", "failure", "error", "skipped", "system-out", "system-out", "system-out"]
    error = suite.find("testcase/error")
    assert error is not None
    assert error.get("type") == "inconclusive"
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert "561 of 600" in (failure.get("message") or "")
    assert "evidence: request 705" in (failure.text or "")


@pytest.mark.parametrize(
    ("status", "tag"),
    [(Status.WARN, "system-out"), (Status.WAIVED, "system-out"), (Status.INVALID, "error"), (Status.PASS, "system-out")],
)
def test_a_warning_or_a_waiver_is_told_and_an_invalid_result_is_an_error(tmp_path: Path, status: Status, tag: str) -> None:
    results = (replace(healthy_results()[4], status=status),)
    suite = _suite(write_run(tmp_path / "run", make_verdict(Status.PASS, results)))
    (case,) = suite.findall("testcase")
    assert [child.tag for child in case] == [tag]


@pytest.mark.parametrize(("status", "tag"), [(Status.INCONCLUSIVE, "error"), (Status.INVALID, "error"), (Status.FAIL, "failure")])
def test_a_verdict_that_no_result_carries_is_a_case_of_its_own(tmp_path: Path, status: Status, tag: str) -> None:
    suite = _suite(write_run(tmp_path / "run", make_verdict(status, ())))
    case = suite.find("testcase")
    assert case is not None
    assert case.get("name") == "verdict"
    assert [child.tag for child in case] == [tag]


def test_a_hostile_run_is_well_formed_and_keeps_its_text(tmp_path: Path) -> None:
    suite = _suite(hostile_run(tmp_path / "run"))
    messages = [failure.get("message") for failure in suite.findall("testcase/failure")]
    assert "<script>document.title='ran'</script>" in messages
    assert any("\\x1b[31mred" in (message or "") for message in messages)
    assert any("]]><evil/>" in (message or "") for message in messages)
