"""Alerts: what fires by the service's rules and the scrapes of a run, as Prometheus' own promtool has it."""

import itertools
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from probe_runs import check_of
from run_builder import RunBuilder, S

from harness.checks import CHECKS, PLANNERS
from harness.checks.alerts.series import series_of
from harness.measure import read_run
from harness.model.fault import Scalar
from harness.model.journal import Event
from harness.model.judgement import Judgement, Status
from harness.rundir.scrapes import Scrape

numbers = itertools.count()
RULES = Path(__file__).parents[3] / "reference_service/observability/rules"
TOLD = {name: (RULES / name).read_text() for name in ("recording.yml", "alerts.yml")}


def metrics(good: float, bad: float) -> str:
    name = 'http_request_duration_seconds_count{method="POST",route="/v1/chat/completions",status_code="%s"} %g'
    return "\n".join([name % ("200", good), name % ("503", bad), 'unwanted{a="b"} 1'])


def scraped(bad_from_s: float, *, every_s: float = 5.0, until_s: float = 60.0) -> list[Scrape]:
    found = []
    for number in range(int(until_s / every_s)):
        at_s = number * every_s
        bad = max(0.0, at_s - bad_from_s) * 10
        found += [Scrape(at_ns=int(at_s * S), instance=name, text=metrics(at_s * 10 - bad, bad)) for name in ("a", "b")]
    return found


def judged(path: Path, scrapes: list[Scrape], *, told: dict[str, str] | None = TOLD, **settings: Scalar) -> Judgement:
    check = check_of("alerts", phase="recovery", **settings)
    run = RunBuilder(checks=(check,), manifest=False).build(path / f"run{next(numbers)}")
    phases = [replace(phase, end_ns=60 * S) if phase.name == "recovery" else phase for phase in run.read_plan().phases]
    run.write_plan(replace(run.read_plan(), phases=tuple(phases)))
    for scrape in scrapes:
        run.append_scrape(scrape)
    if told is not None:
        run.record(Event.ACTION_DONE, f"{check.id}/rules", at_ns=S, **told)
    run.write_manifest()
    return CHECKS["alerts"][1](read_run(run), check)


@pytest.fixture(autouse=True)
def _promtool() -> None:
    if shutil.which("promtool") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("no promtool on the PATH; apt-get install prometheus")


def test_a_healthy_run_fires_nothing(tmp_path: Path) -> None:
    judgement = judged(tmp_path, scraped(1000.0))
    assert judgement.status is Status.PASS, judgement.reason
    assert "12 times as long" in judgement.reason


def test_an_alert_that_must_fire_does_when_everything_fails(tmp_path: Path) -> None:
    judgement = judged(tmp_path, scraped(10.0), fires="HighErrorRate")
    assert judgement.status is Status.PASS, judgement.reason
    assert "HighErrorRate fired" in judgement.reason


@pytest.mark.parametrize(
    ("bad_from_s", "settings", "told"),
    [
        (1000.0, {"fires": "HighErrorRate"}, "HighErrorRate did not fire"),
        (10.0, {}, "HighErrorRate fired, which nothing called for"),
        (10.0, {"fires": "ServiceDown", "may": "HighErrorRate"}, "ServiceDown did not fire"),
    ],
)
def test_an_alert_too_many_or_too_few_fails(bad_from_s: float, settings: dict[str, Scalar], told: str, tmp_path: Path) -> None:
    judgement = judged(tmp_path, scraped(bad_from_s), **settings)
    assert judgement.status is Status.FAIL, judgement.reason
    assert told in judgement.reason


def test_an_alert_that_may_fire_is_no_failure(tmp_path: Path) -> None:
    assert judged(tmp_path, scraped(10.0), may="HighErrorRate, SlowResponses").status is Status.PASS


def test_an_instance_that_is_not_reached_is_down(tmp_path: Path) -> None:
    silent = [replace(s, text="", problem="refused") if s.instance == "b" and s.at_ns > 20 * S else s for s in scraped(1000.0)]
    judgement = judged(tmp_path, silent, fires="InstanceDown")
    assert judgement.status is Status.PASS, judgement.reason


@pytest.mark.parametrize(
    ("scrapes", "more", "told"),
    [
        ([], {}, "0 scrapes"),
        (scraped(10.0, until_s=15.0), {}, "3 scrapes"),
        (scraped(10.0), {"told": None}, "never done"),
        (scraped(10.0), {"told": {}}, "no alert HighErrorRate"),
        (scraped(10.0), {"fires": "NoSuchAlert"}, "no alert NoSuchAlert"),
        ([replace(scrape, text="", problem="refused") for scrape in scraped(10.0)], {}, "with metrics in them"),
    ],
)
def test_without_scrapes_or_rules_nothing_is_said(
    scrapes: list[Scrape], more: dict[str, object], told: str, tmp_path: Path
) -> None:
    settings = {"fires": "HighErrorRate"} | more
    judgement = judged(tmp_path, scrapes, **settings)  # type: ignore[arg-type]
    assert judgement.status is Status.INCONCLUSIVE
    assert told in judgement.reason


def test_without_promtool_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scrapes = scraped(10.0)
    monkeypatch.setenv("PATH", str(tmp_path))
    judgement = judged(tmp_path, scrapes)
    assert judgement.status is Status.INCONCLUSIVE
    assert "promtool is not on the PATH" in judgement.reason


# -- dashboards ----------------------------------------------------------------------------------------------------------

PANELS = {"health: Error rate": "error_rate", "health: Requests": "sum(rate(http_request_duration_seconds_count[5m]))"}


def shown(path: Path, scrapes: list[Scrape], panels: dict[str, str] | None = None, **settings: Scalar) -> Judgement:
    check = check_of("dashboards", phase="recovery", **settings)
    run = RunBuilder(checks=(check,), manifest=False).build(path / f"run{next(numbers)}")
    for scrape in scrapes:
        run.append_scrape(scrape)
    run.record(Event.ACTION_DONE, f"{check.id}/rules", at_ns=S, does="tell-alert-rules", **TOLD)
    if panels is not None:
        run.record(Event.ACTION_DONE, f"{check.id}/panels", at_ns=S, does="tell-dashboards", **panels)
    run.write_manifest()
    return CHECKS["dashboards"][1](read_run(run), check)


def test_panels_with_data_pass(tmp_path: Path) -> None:
    judgement = shown(tmp_path, scraped(5.0), PANELS)
    assert judgement.status is Status.PASS, judgement.reason
    assert "all 2 panels" in judgement.reason


@pytest.mark.parametrize("query", ["user_satisfaction_score", "no_such_metric", "0 / vector(0)"])
def test_a_panel_without_a_number_fails_and_is_named(query: str, tmp_path: Path) -> None:
    judgement = shown(tmp_path, scraped(5.0), {**PANELS, "quality: Satisfaction": query})
    assert judgement.status is Status.FAIL, judgement.reason
    assert "1 of 3 panels have no data: quality: Satisfaction" in judgement.reason
    assert shown(tmp_path, scraped(5.0), {**PANELS, "quality: S": query}, empty="S").status is Status.PASS


def test_dashboards_without_panels_or_scrapes_prove_nothing(tmp_path: Path) -> None:
    assert shown(tmp_path, scraped(5.0), None).status is Status.INCONCLUSIVE
    assert shown(tmp_path, scraped(5.0), {}).status is Status.INCONCLUSIVE
    assert shown(tmp_path, [], PANELS).status is Status.INCONCLUSIVE


def test_the_reference_service_tells_its_rules_and_every_panel() -> None:
    from harness.target.operating import observability

    assert "alert: HighErrorRate" in observability.alert_rules()["alerts.yml"]
    told = observability.panels()
    assert told["system-health: Error rate"] == "error_rate"
    assert len(told) >= 17


def test_series_keep_only_what_rules_ask_for_and_leave_out_what_was_not_scraped() -> None:
    scrapes = [Scrape(at_ns=at * S, instance="a", text=f'x{{k="q\\"\\n"}} {at}\nother 1') for at in (0, 5, 15)]
    moments, series = series_of(scrapes, "expr: x > 0", every_ns=5 * S, until_ns=20 * S)
    assert moments == 4
    assert series == {
        'up{instance="a",job="gateway"}': "1 1 _ 1",
        'x{instance="a",job="gateway",k="q\\"\\n"}': "0 5 _ 15",
    }


def test_a_setting_of_another_type_is_refused() -> None:
    wrong: Callable[[], object] = lambda: PLANNERS["alerts"].plan(check_of("alerts", fires=3), RunBuilder().plan().phases[1])  # noqa: E731
    with pytest.raises(ValueError, match="fires"):
        wrong()
