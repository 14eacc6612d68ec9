"""Alert routing: whom each alert reaches, as Alertmanager's own amtool has it."""

import itertools
import os
import shutil
from pathlib import Path

import pytest
from probe_runs import check_of
from run_builder import RunBuilder, S

from harness.checks import CHECKS, PLANNERS
from harness.measure import read_run
from harness.model.fault import Scalar
from harness.model.journal import Event
from harness.model.judgement import Judgement, Status

numbers = itertools.count()
FOLDER = Path(__file__).parents[3] / "reference_service/observability"
RULES = {"alerts.yml": (FOLDER / "rules/alerts.yml").read_text()}
ROUTING = {"alertmanager.yml": (FOLDER / "alertmanager.yml").read_text()}


def judged(
    path: Path, rules: dict[str, str] | None = RULES, routing: dict[str, str] | None = ROUTING, **settings: Scalar
) -> Judgement:
    check = check_of("alert routing", **settings)
    run = RunBuilder(checks=(check,), manifest=False).build(path / f"run{next(numbers)}")
    for name, told in (("rules", rules), ("routing", routing)):
        if told is not None:
            run.record(Event.ACTION_DONE, f"{check.id}/{name}", at_ns=S, does=f"tell-alert-{name}", **told)
    run.write_manifest()
    return CHECKS["alert routing"][1](read_run(run), check)


def but(right: str, wrong: str) -> dict[str, str]:
    """Return the service's own routing with one thing wrong."""
    assert right in ROUTING["alertmanager.yml"]
    return {"alertmanager.yml": ROUTING["alertmanager.yml"].replace(right, wrong)}


NO_PAGE = but("receiver: page\n    - matchers: ['route=\"slack\"']", "receiver: email\n    - matchers: ['route=\"slack\"']")


@pytest.fixture(autouse=True)
def _amtool() -> None:
    if shutil.which("amtool") is None:
        reason = "no amtool on the PATH; apt-get install prometheus-alertmanager"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


def test_the_service_s_own_alerts_reach_who_answers_for_them(tmp_path: Path) -> None:
    judgement = judged(tmp_path, escalated="ServiceDown")
    assert judgement.status is Status.PASS, judgement.reason
    assert (
        "HighErrorRate to page; SlowResponses to slack; HighCost to email; ServiceDown to escalation and page" in judgement.reason
    )
    assert judgement.test is not None
    assert judgement.test.n == 7


@pytest.mark.parametrize(
    ("rules", "routing", "told"),
    [
        (RULES, NO_PAGE, "HighErrorRate, critical, reaches email; it must reach page (and 2 more)"),
        (RULES, but("continue: true", "continue: false"), "ServiceDown, critical, reaches escalation; it must reach page"),
        (RULES, but("""['escalate="yes"']""", """['escalate="no"']"""), "ServiceDown must be escalated to escalation"),
        (RULES, but("""['route="slack"']""", """['route="chat"']"""), None),  # what nobody routes goes by mail, as a warning may
        (RULES, but("receiver: slack", "receiver: page"), "SlowResponses, warning, reaches page; it must reach slack or email"),
        (RULES, but("route:\n  receiver: email", "route:\n  receiver: nobody"), "Alertmanager does not start"),
        (RULES, but("  - name: page\n    webhook_configs: [{url: \"http://on-call.invalid/page\"}]", "  - name: page"), "nowhere to send"),
        ({"alerts.yml": RULES["alerts.yml"].replace("severity: critical", "severity: urgent")}, ROUTING, "the severity 'urgent'"),
        ({"alerts.yml": RULES["alerts.yml"].replace("severity: critical, ", "")}, ROUTING, "HighErrorRate has no severity"),
    ],
)  # fmt: skip
def test_an_alert_that_goes_astray_fails(
    rules: dict[str, str], routing: dict[str, str], told: str | None, tmp_path: Path
) -> None:
    judgement = judged(tmp_path, rules, routing, escalated="ServiceDown")
    assert judgement.status is (Status.PASS if told is None else Status.FAIL), judgement.reason
    assert told is None or told in judgement.reason


def test_a_warning_that_also_wakes_somebody_fails(tmp_path: Path) -> None:
    routing = but(
        "  routes:\n", "  routes:\n    - matchers: ['alertname=\"HighCost\"']\n      receiver: page\n      continue: true\n"
    )
    judgement = judged(tmp_path, routing=routing)
    assert judgement.status is Status.FAIL
    assert "HighCost is a warning and reaches page, which is for what is critical" in judgement.reason


@pytest.mark.parametrize(
    ("rules", "routing", "settings", "told"),
    [
        (None, ROUTING, {}, "rules was never done"),
        (RULES, None, {}, "routing was never done"),
        ({}, ROUTING, {}, "no alert"),
        (RULES, {}, {}, "0 Alertmanager configurations"),
        ({"alerts.yml": "groups: ["}, ROUTING, {}, "alerts.yml is no YAML"),
        (RULES, ROUTING, {"escalated": "NoSuch"}, "the service has no alert NoSuch"),
    ],
)
def test_without_rules_or_routes_nothing_is_said(
    rules: dict[str, str] | None, routing: dict[str, str] | None, settings: dict[str, Scalar], told: str, tmp_path: Path
) -> None:
    judgement = judged(tmp_path, rules, routing, **settings)
    assert judgement.status is Status.INCONCLUSIVE
    assert told in judgement.reason


def test_without_amtool_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    judgement = judged(tmp_path)
    assert judgement.status is Status.INCONCLUSIVE
    assert "amtool is not on the PATH" in judgement.reason


def test_the_reference_service_tells_its_routing() -> None:
    from harness.target.operating import observability

    assert "receiver: escalation" in observability.alert_routing()["alertmanager.yml"]


def test_a_setting_of_another_type_is_refused() -> None:
    with pytest.raises(ValueError, match="critical"):
        PLANNERS["alert routing"].plan(check_of("alert routing", critical=3), RunBuilder().plan().phases[1])
