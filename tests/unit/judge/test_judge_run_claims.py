"""What logs and metrics say of a whole run is held against the provider's records, and silence is no lie and no truth."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from run_builder import RunBuilder, call_of, healthy_samples

from harness.judge import judge
from harness.model.judgement import Judgement, Status
from harness.model.outcome import Source
from harness.model.plan import Plan
from harness.model.signals import Predicate, Signals, Where

FALLBACKS = sum(row.source is Source.SECONDARY for row in healthy_samples())
BILLED_USD = sum(call_of(row).cost_usd for row in healthy_samples())


def _log(key: str) -> Predicate:
    return Predicate(where=Where.LOG, key=key)


def _metric(key: str) -> Predicate:
    return Predicate(where=Where.METRIC, key=key)


class TellingRun(RunBuilder):
    told: Signals = Signals()

    def plan(self) -> Plan:
        return replace(super().plan(), signals=self.told)


Judged = Callable[..., dict[str, Judgement]]


@pytest.fixture
def judged(tmp_path: Path) -> Judged:
    def judge_run(files: dict[str, str], **over_the_run: Predicate) -> dict[str, Judgement]:
        run = TellingRun(samples=healthy_samples(), target_kind="external", files=files)
        run.told = Signals(over_the_run=over_the_run)
        return {result.id: result for result in judge(run.build(tmp_path / "run")).results}

    return judge_run


def _scrapes(name: str, *values: float) -> dict[str, str]:
    lines = [
        json.dumps({"schema": "harness.scrape/1", "at_ns": n, "instance": "a", "text": f'{name}{{k="x"}} {value}\n'})
        for n, value in enumerate(values)
    ]
    return {"metrics/scrapes.jsonl": "\n".join(lines) + "\n"}


@pytest.mark.parametrize(
    ("lines", "status"),
    [(FALLBACKS, Status.PASS), (FALLBACKS - 2, Status.PASS), (FALLBACKS // 2, Status.WARN), (FALLBACKS * 2, Status.WARN)],
)
def test_lines_of_a_log_are_counted_against_the_second_model_s_answers(judged: Judged, lines: int, status: Status) -> None:
    logs = {"logs/service.log": "started\n" + "WARN falling back to b\n" * lines, "logs/provider.log": "falling back\n" * 999}
    result = judged(logs, fallback=_log("falling back"))["claimed-fallback"]
    assert result.status is status
    assert f"says {lines:,} times" in result.reason


@pytest.mark.parametrize(("share", "status"), [(1.0, Status.PASS), (0.5, Status.WARN)])
def test_costs_in_a_log_are_added_up(judged: Judged, share: float, status: Status) -> None:
    lines = [f"cost={BILLED_USD * share / 4}", "cost=none", "cost=inf"] + [f"cost={BILLED_USD * share / 4}"] * 3
    result = judged({"logs/instance-a.log": "\n".join(lines) + "\n"}, cost=_log(r"cost=(\S+)"))["claimed-cost"]
    assert result.status is status


@pytest.mark.parametrize(("grown", "status"), [(0, Status.NOT_APPLICABLE), (40, Status.WARN)])
def test_a_counter_is_read_by_what_it_grew(judged: Judged, grown: int, status: Status) -> None:
    result = judged(_scrapes("hits_total", 5, 5 + grown), cache=_metric('hits_total{k="x"}'))["claimed-cache"]
    assert result.status is status


def test_what_nothing_else_tells_of_is_told_and_not_judged(judged: Judged) -> None:
    result = judged(_scrapes("degraded_total", 0, 3), degraded=_metric("degraded_total"))["claimed-degraded"]
    assert (result.status, result.reason.endswith("says 3 times; nothing else tells of it")) == (Status.NOT_APPLICABLE, True)


@pytest.mark.parametrize(
    ("files", "predicate", "why"),
    [
        ({}, _log("x"), "there is no log line to look at"),
        ({}, _metric("x_total"), "fewer than two scrapes were kept"),
        (_scrapes("y_total", 1, 2), _metric("x_total"), "no scrape has a metric of that name"),
    ],
)
def test_where_nothing_is_told_nothing_is_judged(judged: Judged, files: dict[str, str], predicate: Predicate, why: str) -> None:
    result = judged(files, cost=predicate)["claimed-cost"]
    assert result.status is Status.NOT_APPLICABLE
    assert why in result.reason
