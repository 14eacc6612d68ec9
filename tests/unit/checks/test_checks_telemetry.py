"""Log fields and metric names: what is written of a request, and what is counted under which name."""

import itertools
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import test_checks_alerts as alerts
from probe_runs import A, Answering, check_of, judged, recorded
from run_builder import RunBuilder, S, call_of, sample

from harness.checks import CHECKS, PLANNERS
from harness.measure import read_run
from harness.model.journal import Event
from harness.model.judgement import Judgement, Status
from harness.model.plan import Phase, PhaseKind
from harness.model.probe import Probe
from harness.model.sample import Call
from harness.rundir.scrapes import Scrape

numbers = itertools.count()
WIDE = Phase(name="steady", kind=PhaseKind.STEADY, start_ns=0, end_ns=30 * S)

# -- log fields ----------------------------------------------------------------------------------------------------------

Fields = Mapping[str, object]
ANSWERED: Fields = {"at": "2026-01-01T00:00:00Z", "user": "r***#1a2b", "query": "Explain", "intent": "knowledge",
                    "model": "sim-large", "tokens": 50, "latency_ms": 48.0, "retrieval_scores": [0.61, 0.2], "error": None}  # fmt: skip
REFUSED: Fields = {"at": "2026-01-01T00:00:00Z", "user": "r***#1a2b", "query": "Ignore", "intent": None, "model": None,
                   "tokens": None, "latency_ms": 3.0, "retrieval_scores": [], "error": "content_blocked"}  # fmt: skip
CALLS = [
    replace(call_of(sample(0, 1.0)), call_id=f"c-{name}", request_id=f"probe-{name}-None-0", prompt_tokens=40)
    for name in ("whole", "streamed")
]


def answering(probe: Probe, *_: object) -> A:
    if probe.name in ("whole", "streamed"):
        return A()
    return A(status=400, refusal="guard", body={"error": {"type": "content_blocked", "code": "attack", "message": "no"}})


def log(name: str = "", **changed: object) -> str:
    """Return the log of all five requests; of one of them the line is another. A field that is `...` is left out."""
    lines = []
    for each in ("whole", "streamed", "attack", "too-long", "wrong-key"):
        fields = {**(ANSWERED if each in ("whole", "streamed") else REFUSED), "request_id": f"probe-{each}-None-0"}
        fields |= changed if each == name else {}
        lines.append(json.dumps({key: value for key, value in fields.items() if value is not ...}))
    return "\n".join(["not of JSON", '{"request_id":', *lines, ""])


def written(
    path: Path, text: str | None = None, *, calls: list[Call] | None = None, asked: Answering = answering, **more: object
) -> Judgement:
    logs = {"service-a.log": log() if text is None else text}
    return judged(path, check_of("log fields"), asked, phase=WIDE, logs=logs, calls=CALLS if calls is None else calls, **more)  # type: ignore[arg-type]


def test_lines_with_every_field_pass(tmp_path: Path) -> None:
    judgement = written(tmp_path)
    assert judgement.status is Status.PASS, judgement.reason
    assert "all 10 stand in the lines of 5 requests" in judgement.reason


@pytest.mark.parametrize("field", [*ANSWERED, "request_id"])
@pytest.mark.parametrize("name", ["whole", "attack"])
def test_a_line_without_one_of_its_fields_fails(field: str, name: str, tmp_path: Path) -> None:
    judgement = written(tmp_path, log(name, **{field: ...}))
    assert judgement.status is Status.FAIL
    assert f"no line has every field of the request {name}" in judgement.reason


@pytest.mark.parametrize(
    ("name", "changed", "told"),
    [
        ("whole", {"user": "reader-log-fields"}, "not a masked name"),
        ("whole", {"user": None}, "not a masked name"),
        ("whole", {"at": ""}, "when it was"),
        ("whole", {"query": None}, "what was asked"),
        ("streamed", {"intent": "faq"}, "says 'faq' as its intent"),
        ("streamed", {"model": "sim-small"}, "by the provider it was sim-large"),
        ("streamed", {"tokens": 49}, "the provider billed 50"),
        ("streamed", {"tokens": None}, "the provider billed 50"),
        ("whole", {"latency_ms": 0}, "as its milliseconds"),
        ("whole", {"latency_ms": 48_000.0}, "who asked waited 50"),
        ("whole", {"latency_ms": True}, "as its milliseconds"),
        ("whole", {"retrieval_scores": []}, "as its similarities"),
        ("whole", {"retrieval_scores": [1.5]}, "as its similarities"),
        ("whole", {"error": "timeout"}, "of a request that was answered"),
        ("attack", {"error": None}, "the answer said 'content_blocked'"),
        ("wrong-key", {"error": "internal_error"}, "the answer said 'content_blocked'"),
        ("too-long", {"tokens": 12}, "that no model saw"),
        ("too-long", {"latency_ms": "3 ms"}, "as its milliseconds"),
    ],
)  # fmt: skip
def test_a_field_that_says_another_thing_than_others_know_fails(
    name: str, changed: dict[str, object], told: str, tmp_path: Path
) -> None:
    judgement = written(tmp_path, log(name, **changed))
    assert judgement.status is Status.FAIL, judgement.reason
    assert f"the line of {name} " in judgement.reason
    assert told in judgement.reason
    assert judgement.evidence[0].ref.startswith("logs/service-a.log:")


def test_lines_that_carry_no_id_at_all_fail(tmp_path: Path) -> None:
    judgement = written(tmp_path, log().replace('"request_id": "', '"trace": "'))
    assert judgement.status is Status.FAIL
    assert "5 lines tell of requests, and none carries the id of one ('request_id')" in judgement.reason


def test_a_line_of_the_load_without_a_field_fails(tmp_path: Path) -> None:
    of_load = json.dumps({**{k: v for k, v in ANSWERED.items() if k != "tokens"}, "request_id": "req-9"})
    judgement = written(tmp_path, f"{log()}{of_load}\n")
    assert judgement.status is Status.FAIL
    assert "a line has no tokens ('tokens')" in judgement.reason


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"text": "nothing of it\n"}, "no line of JSON tells of a request"),
        ({"calls": CALLS[:1]}, "the provider recorded no call for streamed"),
        ({"actions": {"put-document": None}}, "put-document could not be done"),
        ({"asked": lambda p, *_: None if p.name == "attack" else answering(p)}, "attack was not answered"),
        ({"asked": lambda p, *_: A(status=503) if p.name == "whole" else answering(p)}, "whole was not answered"),
    ],
)
def test_without_lines_records_or_answers_nothing_is_said(more: dict[str, object], told: str, tmp_path: Path) -> None:
    judgement = written(tmp_path, **more)  # type: ignore[arg-type]
    assert judgement.status is Status.INCONCLUSIVE, judgement.reason
    assert told in judgement.reason


def test_fields_of_other_names_are_looked_for_under_those(tmp_path: Path) -> None:
    check = check_of("log fields", tokens="total_tokens")
    text = log().replace('"tokens"', '"total_tokens"')
    assert judged(tmp_path, check, answering, phase=WIDE, logs={"a.log": text}, calls=CALLS).status is Status.PASS


# -- metric names --------------------------------------------------------------------------------------------------------

HTTP = 'http_request_duration_seconds_count{method="POST",route="/v1/chat/completions",status_code="200"} %g'
TOKENS = 'llm_tokens_total{model="m",intent="faq"} %g'
KEYS = "error_rate, uptime_percentage"


@pytest.fixture
def promtool() -> None:
    if shutil.which("promtool") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("no promtool on the PATH; apt-get install prometheus")


def exposed(*lines: str, more: Callable[[str], bool] = lambda _: True) -> list[Scrape]:
    """Return seven scrapes of two instances that expose these lines; more: which instances do."""
    return [
        Scrape(
            at_ns=at * 5 * S, instance=name, text="\n".join(line % (at * 10) for line in lines if more(name) or line is lines[0])
        )
        for at in range(7)
        for name in ("a", "b")
    ]


def listed(
    path: Path,
    scrapes: list[Scrape],
    *,
    recorded_as: str = KEYS,
    rules: Mapping[str, str] | None = None,
    asked: Answering = lambda *_: A(),
) -> Judgement:
    check = check_of("metric names", recorded=recorded_as)
    run = RunBuilder(checks=(check,), manifest=False).build(path / f"run{next(numbers)}")
    run.write_plan(replace(run.read_plan(), phases=(WIDE,)))
    for scrape in scrapes:
        run.append_scrape(scrape)
    for record in recorded(check, WIDE, asked):
        run.append_probe(record)
    run.record(Event.ACTION_DONE, f"{check.id}/rules", at_ns=S, **(alerts.TOLD if rules is None else rules))
    run.record(Event.ACTION_DONE, f"{check.id}/put-document", at_ns=S)
    run.write_manifest()
    return CHECKS["metric names"][1](read_run(run), check)


@pytest.mark.usefixtures("promtool")
def test_every_name_with_its_labels_and_numbers_passes(tmp_path: Path) -> None:
    judgement = listed(tmp_path, exposed(HTTP, TOKENS))
    assert judgement.status is Status.PASS, judgement.reason
    assert "2 metrics have their labels on 2 instances, and 2 key figures have a number" in judgement.reason


@pytest.mark.usefixtures("promtool")
@pytest.mark.parametrize(
    ("lines", "keys", "told"),
    [
        ((HTTP,), KEYS, "instance a has no llm_tokens_total"),
        ((HTTP, TOKENS.replace("_total", "")), KEYS, "instance a has no llm_tokens_total"),
        ((HTTP, TOKENS.replace("intent", "kind")), KEYS, "has the labels kind,model, not intent,model"),
        ((HTTP.replace(',status_code="200"', ""), TOKENS), "uptime_percentage", "has the labels method,route, not"),
        ((HTTP, "llm_tokens_total %g"), KEYS, "has no labels, and must have intent,model"),
        ((HTTP, TOKENS), f"{KEYS}, no_such_figure", "no rule records no_such_figure"),
        ((HTTP, TOKENS), f"{KEYS}, user_satisfaction_score", "user_satisfaction_score has no number"),
    ],
)
def test_a_name_that_is_not_there_fails_and_is_named(lines: tuple[str, ...], keys: str, told: str, tmp_path: Path) -> None:
    judgement = listed(tmp_path, exposed(*lines), recorded_as=keys)
    assert judgement.status is Status.FAIL, judgement.reason
    assert told in judgement.reason


@pytest.mark.usefixtures("promtool")
def test_one_instance_without_a_metric_fails(tmp_path: Path) -> None:
    judgement = listed(tmp_path, exposed(HTTP, TOKENS, more=lambda name: name == "a"))
    assert judgement.status is Status.FAIL
    assert "instance b has no llm_tokens_total" in judgement.reason


def test_without_scrapes_or_what_brings_figures_about_nothing_is_said(tmp_path: Path) -> None:
    few = listed(tmp_path, exposed(HTTP, TOKENS)[:4])
    assert (few.status, "2 scrapes" in few.reason) == (Status.INCONCLUSIVE, True)
    unrated = listed(tmp_path, exposed(HTTP, TOKENS), asked=lambda p, *_: A(status=503 if p.name == "rated" else 200))
    assert (unrated.status, "rated was not answered" in unrated.reason) == (Status.INCONCLUSIVE, True)


def test_without_promtool_no_figure_is_said_to_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    judgement = listed(tmp_path, exposed(HTTP, TOKENS))
    assert judgement.status is Status.INCONCLUSIVE
    assert "promtool is not on the PATH" in judgement.reason


@pytest.mark.parametrize("value", ["", "name{a", "9lives", "a{b} {c}"])
def test_metrics_that_nobody_can_read_are_refused(value: str) -> None:
    with pytest.raises(ValueError, match="exposed"):
        PLANNERS["metric names"].plan(check_of("metric names", exposed=value), WIDE)


def test_the_document_s_names_are_the_service_s_own_list() -> None:
    from harness.checks.alerts.planning import named
    from harness.checks.metric_names.planning import KEY_FIGURES
    from reference_service.observability.names import KEY_METRICS

    assert named(KEY_FIGURES) == KEY_METRICS
