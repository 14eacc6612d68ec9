"""The load keys of a scenario: what they become in the plan, and what is said of those that cannot be."""

from pathlib import Path

import pytest

from harness.errors import ConfigurationError
from harness.model.plan import ArrivalProcess, Plan, Protocol, TargetReference
from harness.model.signals import Signals
from harness.model.target import Offer
from harness.scenario import compile_plan, read_scenario

S = 1_000_000_000
OFFER = Offer(reference=TargetReference(kind="embedded", name="x"), places=frozenset({"provider.primary"}), signals=Signals())
TOP = """\
name: x
title: x
load:
  arrivals: {arrivals}
  mix: {mix}
phases:
  - {{name: steady, kind: steady, for: 100s}}
objectives:
  - {{error rate: "< 50%"}}
"""
POISSON = "{process: poisson, rate: 20/s}"


def plan_of(path: Path, *, arrivals: str = POISSON, mix: str = "{faq: 100%}", workers: int = 1) -> Plan:
    file = path / "x.yaml"
    file.write_text(TOP.format(arrivals=arrivals, mix=mix))
    return compile_plan(read_scenario(file), OFFER, run_id="r", seed=1, planners={}, workers=workers)


@pytest.mark.parametrize(
    ("arrivals", "planned"),
    [
        ("{process: step, rate: 10/s, to: 30/s, steps: 5}", 2000),
        ("{process: spike, rate: 10/s, to: 100/s, at: 20s, peak: 10s}", 1900),
        ("{process: sine, rate: 20/s, to: 30/s, period: 50s}", 2000),
        ("{process: ramp, rate: 10/s, to: 30/s}", 2000),
    ],
)
def test_a_shape_is_planned_with_the_area_under_its_rate(tmp_path: Path, arrivals: str, planned: int) -> None:
    assert plan_of(tmp_path, arrivals=arrivals).planned_requests == planned


@pytest.mark.parametrize(
    ("arrivals", "complaint"),
    [
        ("{process: step, rate: 10/s}", "x.yaml:4:13: a step process needs `to`"),
        ("{process: step, rate: 10/s, to: 20/s}", "needs `steps`, how many stairs"),
        ("{process: poisson, rate: 10/s, to: 20/s}", "`to` belongs to ramp or step or spike or sine; the process is poisson"),
        ("{process: sine, rate: 10/s, to: 30/s, period: 10s}", "twice"),
        ("{process: closed, rate: 10/s, users: 3}", "`rate` belongs to"),
        ("{process: closed}", "needs `users`"),
        ("{process: replay}", "needs `trace`"),
        ("{process: replay, trace: nowhere.csv}", "nowhere.csv: No such file"),
        ("{process: poisson}", "needs `rate`"),
    ],
)
def test_a_process_says_which_keys_it_takes_and_where(tmp_path: Path, arrivals: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        plan_of(tmp_path, arrivals=arrivals)
    assert complaint in str(caught.value)
    assert "x.yaml:4:" in str(caught.value)


def test_a_trace_comes_with_its_tokens_from_either_kind_of_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "TIMESTAMP,ContextTokens,GeneratedTokens\n2026-01-01T00:00:01.5,100,10\n2026-01-01 00:00:00,7,3\n2026-01-01T00:01:40,1,1\n"
    )
    (tmp_path / "a.jsonl").write_text(
        '{"time": 11.5, "prompt_tokens": 100, "max_tokens": 10}\n{"time": 10, "prompt_tokens": 7, "max_tokens": 3}\n{"time": 110, "prompt_tokens": 1, "max_tokens": 1}\n'
    )
    for name in ("a.csv", "a.jsonl"):
        with pytest.raises(ConfigurationError, match="requests are planned"):  # three cannot decide anything
            plan_of(tmp_path, arrivals=f"{{process: replay, trace: {name}}}")
    from harness.scenario.trace import read_trace

    complaints: list[str] = []
    one, two = (read_trace(tmp_path / name, 2.0, complaints.append) for name in ("a.csv", "a.jsonl"))
    assert one == two
    assert one.times_ns == (0, 750_000_000, 50 * S)
    assert (one.prompt_tokens, one.max_tokens) == ((7, 100, 1), (3, 10, 1))
    assert complaints == []


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("a.csv", "time\n0\nsoon\n", "a.csv:3: 'soon' is no time"),
        ("a.csv", "when\n0\n", "a.csv:2: no time"),
        ("a.csv", "time,prompt_tokens\n0,-4\n", "a.csv:2: -4 is no number of tokens"),
        ("a.csv", "time\n", "there is no row"),
        ("a.jsonl", '{"time": 1}\nnot json\n', "a.jsonl:2: no JSON"),
        ("a.jsonl", "[]\n", "a.jsonl:1: a line is one JSON object"),
    ],
)
def test_a_bad_trace_is_told_by_its_own_line(tmp_path: Path, name: str, text: str, complaint: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        plan_of(tmp_path, arrivals=f"{{process: replay, trace: {name}}}")
    assert complaint in str(caught.value)


def test_a_closed_loop_is_named_as_one_and_has_one_worker(tmp_path: Path) -> None:
    loop = "{process: closed, users: 7, think: 2s}"
    with pytest.raises(ConfigurationError, match="0 requests are planned"):
        plan_of(tmp_path, arrivals=loop)
    file = tmp_path / "x.yaml"
    text = TOP.format(arrivals=loop, mix="{faq: 100%}").replace('{error rate: "< 50%"}', '{spend: "<= 5 x planned"}')
    file.write_text(text)
    scenario = read_scenario(file)
    plan = compile_plan(scenario, OFFER, run_id="r", seed=1, planners={})
    assert plan.load.segments[0].process is ArrivalProcess.CLOSED
    assert plan.load.principals == 7
    assert "steady" in plan.labels["closed-loop"]
    with pytest.raises(ConfigurationError, match="one load worker"):
        compile_plan(scenario, OFFER, run_id="r", seed=1, planners={}, workers=2)


def test_prompts_come_from_a_file_and_conversations_keep_their_turns(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("one\n\ntwo {n}\n")
    (tmp_path / "c.jsonl").write_text('{"turns": ["hello", "and then?", "bye"]}\n{"prompt": "short"}\n')
    mix = "{a: {share: 50%, prompts_file: p.txt, timeout: 2s}, b: {share: 50%, prompts_file: c.jsonl, think: 3s}}"
    plan = plan_of(tmp_path, mix=mix)
    a, b = plan.load.mix
    assert (a.prompts, a.follow_ups, a.timeout_ns) == (("one", "two {n}"), (), 2 * S)
    assert (b.prompts, b.follow_ups, b.think_ns) == (("hello", "short"), (("and then?", "bye"), ()), 3 * S)
    assert plan.planned_requests == 3000  # half the arrivals are conversations of two requests on average


def test_lengths_and_plain_requests_are_planned(tmp_path: Path) -> None:
    mix = "{a: {share: 50%, prompt_tokens: {median: 200, p95: 900}}, b: {share: 50%, protocol: http, request: {method: GET, path: /live}}}"
    a, b = plan_of(tmp_path, mix=mix).load.mix
    assert a.prompt_tokens is not None
    assert (a.prompt_tokens.median, a.prompt_tokens.p95) == (200, 900)
    assert b.protocol is Protocol.HTTP
    assert b.plain is not None
    assert (b.plain.method, b.plain.path) == ("GET", "/live")


@pytest.mark.parametrize(
    ("mix", "complaint"),
    [
        ("{a: {share: 100%}}", "needs `prompts`"),
        ("{a: {share: 100%, prompts: [x], prompts_file: y}}", "prompts and prompts_file"),
        ("{a: {share: 100%, prompts_file: nowhere.txt}}", "nowhere.txt"),
        ("{a: {share: 100%, prompts: [x], request: {path: /y}}}", "belongs to the protocols"),
        ("{a: {share: 100%, protocol: http, conversations: [[a, b]]}}", "openai-chat"),
        ("{a: {share: 100%, conversations: [[]]}}", "at least one turn"),
    ],
)
def test_a_class_that_cannot_be_is_told_where(tmp_path: Path, mix: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        plan_of(tmp_path, mix=mix)
    assert complaint in str(caught.value)
    assert "x.yaml:5:" in str(caught.value)
