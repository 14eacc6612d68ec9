"""A service that speaks no OpenAI chat: its question is one template, its answer stands at a path or is none."""

import json
from pathlib import Path

import pytest

from harness.checks import PLANNERS
from harness.errors import ConfigurationError, NotOfferedError
from harness.exchange import End, Exchange, Outcome, Reading, plain_body
from harness.model.outcome import Result
from harness.model.plan import Plan, Protocol
from harness.scenario import compile_plan, find_scenario, read_scenario
from harness.target.description import read_description
from harness.target.external import ExternalTarget

TARGET = """\
name: helpdesk
base_url: http://127.0.0.1:1/api
auth: {value: none}
protocol: message
message:
  url: /ask
  body: {question: {text: "${prompt}"}, model: "${model}", most: "${max_tokens}", number: "q-${n}"}
  answer: $.reply.text
  prompt_tokens: $.usage.in
  completion_tokens: $.usage.out
models: {normal: gpt}
"""
SCENARIO = """\
name: s
title: t
load: {arrivals: {process: poisson, rate: 10/s}, mix: {knowledge: 100%}, stream: 50%}
phases: [{name: steady, kind: steady, for: 60s}]
objectives: [{error rate: "< 5%"}]
"""


def _offer(tmp_path: Path, text: str = TARGET) -> ExternalTarget:
    path = tmp_path / "target.yaml"
    path.write_text(text)
    return ExternalTarget(read_description(path))


def _plan(tmp_path: Path, scenario: str = SCENARIO) -> Plan:
    path = tmp_path / "scenario.yaml"
    path.write_text(scenario)
    return compile_plan(read_scenario(path), _offer(tmp_path).offer(), run_id="r", seed=1, planners=PLANNERS)


def test_every_class_asks_in_the_target_s_own_words_and_nothing_is_streamed(tmp_path: Path) -> None:
    plan = _plan(tmp_path)
    (part,) = plan.load.mix
    assert part.protocol is Protocol.MESSAGE
    assert part.plain is not None
    assert part.plain.path == "/api/ask"
    assert plan.load.streamed_ratio == 0
    said = json.loads(plain_body(part.plain, 'Say "hi" {max_tokens}', model="gpt", max_tokens=7).replace(b"{n}", b"12"))
    assert said == {"question": {"text": 'Say "hi" {max_tokens}'}, "model": "gpt", "most": 7, "number": "q-12"}
    assert json.loads(plain_body(part.plain, "x"))["most"] is None


@pytest.mark.parametrize("objective", ['{time to first token: "p95 < 2s"}', "{stream integrity: never broken}"])
def test_what_is_about_streams_is_not_offered(tmp_path: Path, objective: str) -> None:
    with pytest.raises(NotOfferedError, match="the target has no streams; its description says `protocol: message`"):
        _plan(tmp_path, SCENARIO.replace('{error rate: "< 5%"}', objective))


def test_the_catalogue_s_outage_can_be_planned_for_it_when_it_has_a_provider(tmp_path: Path) -> None:
    text = TARGET + "start: {command: [run]}\nprovider: {endpoints: {primary: {listen: auto}, secondary: {listen: auto}}}\n"
    scenario = read_scenario(find_scenario("provider-outage"), ["checks=[]"])
    plan = compile_plan(scenario, _offer(tmp_path, text).offer(), run_id="r", seed=1, planners=PLANNERS)
    assert {part.protocol for part in plan.load.mix} == {Protocol.MESSAGE}


def test_a_check_that_asks_in_chat_does_not_apply_and_sends_nothing(tmp_path: Path) -> None:
    check = "checks: [{check: input validation, during: steady}, {check: retry amplification, during: steady}]\n"
    asking, counting = _plan(tmp_path, SCENARIO + check).checks[:2]
    assert asking.not_offered == "it asks in OpenAI's chat, and the target's description says `protocol: message`"
    assert counting.not_offered is None


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("protocol: message\n", "", "belong together"),
        ('"${prompt}"', '"hello"', "nothing would be asked: put ${prompt}"),
        ('"${model}"', '"${env:SECRET}"', "${env:SECRET} cannot stand in a question, which the run keeps"),
        ("answer: $.reply.text", "answer: reply", "is no JSON path"),
        ("  url: /ask\n", "", "url"),
    ],
    ids=["half of it", "no question", "a secret in the question", "no path", "no url"],
)
def test_a_mistake_is_told_in_words(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _offer(tmp_path, TARGET.replace(old, new))
    assert sentence in str(caught.value)


def _read(tmp_path: Path, body: bytes, status: str = "200 OK") -> Outcome:
    exchange = Exchange(Reading(_offer(tmp_path).offer().signals), streamed=False, protocol=Protocol.MESSAGE)
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    exchange.feed(head + body, 5)
    return exchange.outcome(End.COMPLETE, 6)


def test_an_answer_has_its_text_where_the_description_says_and_its_tokens_too(tmp_path: Path) -> None:
    outcome = _read(tmp_path, b'{"reply": {"text": "hello"}, "usage": {"in": 3, "out": 4}}')
    assert outcome.result is Result.ANSWERED
    assert (outcome.prompt_tokens, outcome.completion_tokens) == (3, 4)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"reply": {}}', "bad_shape"),
        (b'{"reply": {"text": "  "}}', "no_content"),
        (b'{"reply": {"text": null}}', "bad_shape"),
        (b"<html>hello</html>", "bad_json"),
        (b'["hello"]', "bad_json"),
    ],
)
def test_a_good_status_without_the_text_is_malformed(tmp_path: Path, body: bytes, kind: str) -> None:
    outcome = _read(tmp_path, body)
    assert outcome.result is Result.MALFORMED
    assert outcome.error_kind is not None
    assert outcome.error_kind.value == kind
