"""A verdict becomes an outcome of the test: only a pass or a warning lets the test's own body speak."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness import api
from harness.errors import ConfigurationError, StackError

pytest_plugins = ["pytester"]

MARKED = """
import pytest

@pytest.mark.harness(scenario="provider-outage", overrides=["phases.outage.for=10s"])
def test_users_do_not_notice(harness_run):
    print("the body ran")
    assert harness_run.verdict.spend_usd < 1
"""

LIGHT = ("-p", "no:locust", "-p", "no:schemathesis")
"""As the suite itself runs: each pytest in here would import these plug-ins anew, at two seconds each."""


def result(status: str, reason: str = "8 % of the requests failed", trouble: Any = None) -> Any:
    found = [
        SimpleNamespace(id="latency-p95", phase="steady", reason="all in time", status=SimpleNamespace(value="pass")),
        SimpleNamespace(id="error-rate", phase="outage", reason=reason, status=SimpleNamespace(value=status)),
    ]
    verdict = SimpleNamespace(
        verdict=SimpleNamespace(value=status), scenario=SimpleNamespace(name="provider-outage"), results=found, spend_usd=0.5
    )
    return SimpleNamespace(
        verdict=verdict, trouble=trouble, reports=(Path("reports/x/report.html"),), run=SimpleNamespace(path=Path("reports/x"))
    )


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a run is asked for; `answer` is what it comes to, an exception is raised."""
    told: dict[str, Any] = {"answer": result("pass")}

    def run(scenario: str, **given: Any) -> Any:
        told.update(scenario=scenario, given=given)
        if isinstance(told["answer"], Exception):
            raise told["answer"]
        return told["answer"]

    monkeypatch.setitem(vars(api), "run", run)  # without loading the real one
    return told


def run_pytest(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess(*LIGHT, "-p", "no:cacheprovider", "-s", *arguments)


def test_a_pass_lets_the_body_speak(pytester: pytest.Pytester, asked: dict[str, Any]):
    pytester.makepyfile(MARKED)
    run = run_pytest(pytester)
    run.assert_outcomes(passed=1)
    run.stdout.fnmatch_lines(["*the body ran*"])
    assert asked["scenario"] == "provider-outage"
    assert asked["given"] == {"overrides": ["phases.outage.for=10s"], "target": "embedded"}


@pytest.mark.parametrize("status", ["fail", "inconclusive", "invalid"])
def test_what_is_no_pass_fails_with_its_reasons_and_the_body_never_runs(
    pytester: pytest.Pytester, asked: dict[str, Any], status: str
):
    asked["answer"] = result(status)
    pytester.makepyfile(MARKED)
    run = run_pytest(pytester)
    run.assert_outcomes(failed=1)
    run.stdout.fnmatch_lines(
        [
            f"provider-outage: {status.upper()}",
            "*error-rate in outage: 8 % of the requests failed",
            "*report: reports/x/report.html",
        ]
    )
    assert "the body ran" not in run.stdout.str()
    assert "all in time" not in run.stdout.str()


def test_a_warning_is_a_warning_of_pytest(pytester: pytest.Pytester, asked: dict[str, Any]):
    asked["answer"] = result("warn")
    pytester.makepyfile(MARKED)
    run = run_pytest(pytester)
    run.assert_outcomes(passed=1, warnings=1)
    run.stdout.fnmatch_lines(["*HarnessWarning: provider-outage: WARN*"])


def test_a_body_that_disagrees_fails_after_a_pass(pytester: pytest.Pytester, asked: dict[str, Any]):
    asked["answer"].verdict.spend_usd = 2
    pytester.makepyfile(MARKED)
    run_pytest(pytester).assert_outcomes(failed=1)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (ConfigurationError("no scenario is called 'provider-outtage'"), "*could not be run: no scenario is called*"),
        (result("invalid", trouble=StackError("valkey died")), "*could not be run: valkey died*"),
    ],
)
def test_a_scenario_that_could_not_run_is_an_error_and_no_failure(
    pytester: pytest.Pytester, asked: dict[str, Any], answer: Any, told: str
):
    asked["answer"] = answer
    pytester.makepyfile(MARKED)
    run = run_pytest(pytester)
    run.assert_outcomes(errors=1)
    run.stdout.fnmatch_lines([told])


def test_a_mark_is_enough_and_the_option_names_the_target(pytester: pytest.Pytester, asked: dict[str, Any]):
    asked["answer"] = result("fail")
    pytester.makepyfile("import pytest\n@pytest.mark.harness('steady-load')\ndef test_it(): pass")
    run_pytest(pytester, "--harness-target", "gateway.yaml").assert_outcomes(failed=1)
    assert asked["given"]["target"] == "gateway.yaml"


@pytest.mark.parametrize(
    ("mark", "told"),
    [
        ("scenario='x', sede=1", "*does not know sede; it takes scenario, target, seed,*"),
        ("", "*needs a scenario*"),
    ],
)
def test_a_mark_that_is_not_one_is_told(pytester: pytest.Pytester, asked: dict[str, Any], mark: str, told: str):
    pytester.makepyfile(f"import pytest\n@pytest.mark.harness({mark})\ndef test_it(): pass")
    run = run_pytest(pytester)
    run.assert_outcomes(errors=1)
    run.stdout.fnmatch_lines([told])


def test_the_mark_is_known_to_strict_pytest_and_nothing_heavy_is_imported(pytester: pytest.Pytester):
    pytester.makepyfile(
        "import pytest, sys\n"
        "def test_light(): assert not {'gevent', 'locust', 'pandas', 'harness.run.session', 'harness.api.runs'} & set(sys.modules)\n"
        "def test_known(pytestconfig): assert any(m.startswith('harness(') for m in pytestconfig.getini('markers'))"
    )
    pytester.runpytest_subprocess(*LIGHT, "--strict-markers").assert_outcomes(passed=2)
