"""The meter against the call records and against what the clients counted themselves."""

import concurrent.futures
import hashlib
import json
import time
from collections import Counter

import pytest
from provider_under_test import ask, chat, connect, read_answer, request_bytes, running_provider, streamed


@pytest.fixture(scope="module")
def process():
    with running_provider("--seed", "7") as provider:
        yield provider


@pytest.fixture
def provider(process):
    process.ask_control("POST", "/reset")
    return process


def meter(provider):
    return {
        (line["model"], line["key_fingerprint"], line["endpoint"]): line for line in provider.ask_control("GET", "/meter").json()
    }


def test_the_meter_is_the_sum_of_the_calls_whatever_became_of_them(provider):
    provider.set_fault("cut", {"after_chunks": 4}, trigger={"every_nth": 5})
    provider.set_fault("status", {"code": 500}, trigger={"every_nth": 7})

    def one(number):
        body = {**(streamed if number % 2 else chat)(f"question {number}"), "model": ["sim-small", "sim-large"][number % 3 == 0]}
        leave_s = 0.4 if number % 4 == 0 else 10
        return ask(provider, body, endpoint=["primary", "secondary"][number % 5 == 0], key=f"key-{number % 2}", for_s=leave_s)

    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        list(pool.map(one, range(40)))
    calls = provider.calls(40)
    assert {"completed", "cut", "client_gone", "refused"} <= {call["ended"] for call in calls}
    sums = Counter()
    for call in calls:
        key = (call["model"], call["key_fingerprint"], call["endpoint"])
        for name in ("prompt_tokens", "completion_tokens", "cost_usd"):
            sums[*key, name] += call[name]
    lines = meter(provider)
    assert sum(line["calls"] for line in lines.values()) == sum(call["status_code"] != 500 for call in calls)
    for key, line in lines.items():
        assert line["prompt_tokens"] == sums[*key, "prompt_tokens"]
        assert line["completion_tokens"] == sums[*key, "completion_tokens"]
        assert line["cost_usd"] == pytest.approx(sums[*key, "cost_usd"], rel=1e-9)


def test_the_bill_is_what_the_client_counted_at_the_price_of_the_model(provider):
    answer = ask(provider, {**streamed("x" * 400, max_tokens=30), "model": "sim-large"})
    (line,) = meter(provider).values()
    assert line["key_fingerprint"] == hashlib.sha256(b"sk-under-test").hexdigest()[:12]
    assert (line["calls"], line["prompt_tokens"], line["completion_tokens"]) == (1, 100, len(answer.words))
    assert answer.usage == {
        "prompt_tokens": 100,
        "completion_tokens": len(answer.words),
        "total_tokens": 100 + len(answer.words),
    }
    assert line["cost_usd"] == pytest.approx(100 * 3e-6 + len(answer.words) * 15e-6)


def test_a_client_that_leaves_is_billed_what_was_generated_and_no_more(provider):
    with connect(provider.endpoints["primary"]) as connection:
        connection.sendall(request_bytes(streamed("a long one", max_tokens=400)))
        seen = len(read_answer(connection, until=b'"content":"').words)
    (call,) = provider.calls(1)
    assert call["ended"] == "client_gone"
    assert seen <= call["completion_tokens"] < seen + 40
    time.sleep(0.2)
    (line,) = meter(provider).values()
    assert line["completion_tokens"] == call["completion_tokens"]


def test_a_client_that_leaves_before_a_whole_answer_is_billed_for_the_tokens_so_far(provider):
    provider.set_fault("huge_answer", {"tokens": 2_000})  # ten seconds
    ask(provider, chat("never waited for"), for_s=1.5)
    (call,) = provider.calls(1)
    assert call["ended"] == "client_gone"
    assert call["status_code"] is None
    assert 50 < call["completion_tokens"] < 400
    assert call["prompt_tokens"] == 4
    (line,) = meter(provider).values()
    assert line["completion_tokens"] == call["completion_tokens"]


def test_calls_are_paged_in_the_order_of_their_ends(provider):
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: ask(provider, streamed(f"q{n}", max_tokens=n + 1)), range(6)))
    provider.calls(6)
    answer = provider.ask_control("GET", "/calls?after=2")
    ends = [call["ended_ns"] for call in answer.json()]
    assert len(ends) == 4
    assert ends == sorted(ends)
    assert answer.headers["x-next"] == "6"
    assert provider.ask_control("GET", "/calls?after=6").json() == []


def test_a_record_carries_the_request_id_and_a_refused_call_costs_nothing(provider):
    ask(provider, streamed(max_tokens=1), headers=[("x-request-id", "abc")])
    assert ask(provider, {**chat(), "model": "gpt-nope"}).status_code == 404
    calls = provider.calls(2)
    assert calls[0]["request_id"] == "abc"
    assert (calls[1]["ended"], calls[1]["status_code"], calls[1]["model"], calls[1]["cost_usd"]) == (
        "refused",
        404,
        "gpt-nope",
        0,
    )
    assert [line["calls"] for line in meter(provider).values()] == [1]


def test_embeddings_are_billed_by_their_prompt(provider):
    answer = ask(provider, {"model": "sim-small", "input": ["abcd", "abcdefgh"]}, path="/v1/embeddings")
    body = json.loads(answer.body)
    assert [len(item["embedding"]) for item in body["data"]] == [64, 64]
    assert body["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    (line,) = meter(provider).values()
    assert (line["prompt_tokens"], line["completion_tokens"]) == (3, 0)


def test_reset_empties_calls_meter_and_faults(provider):
    ask(provider, streamed(max_tokens=1))
    provider.set_fault("status")
    provider.ask_control("POST", "/reset")
    assert provider.calls() == []
    assert meter(provider) == {}
    assert provider.ask_control("GET", "/faults").json() == []
    assert provider.ask_control("GET", "/faults?cleared=1").json() == []


def test_faults_fall_away_when_the_lease_is_not_renewed(provider):
    provider.set_fault("stall")
    provider.ask_control("PUT", "/lease", {"seconds": 0.8})
    with connect(provider.endpoints["primary"]) as connection:
        connection.sendall(request_bytes(streamed(max_tokens=2)))
        time.sleep(0.5)
        provider.ask_control("PUT", "/lease", {"seconds": 0.8})
        assert not read_answer(connection, for_s=0.5).terminated
        assert b"[DONE]" in read_answer(connection, for_s=5, until=b"[DONE]").raw
    (fault,) = provider.ask_control("GET", "/faults?cleared=1").json()
    assert (fault["cleared_by"], fault["acted"]) == ("lease", 1)


def test_without_a_lease_faults_stay(provider):
    provider.set_fault("status")
    provider.ask_control("PUT", "/lease", {"seconds": 0.2})
    provider.ask_control("DELETE", "/lease")
    time.sleep(0.4)
    assert len(provider.ask_control("GET", "/faults").json()) == 1
