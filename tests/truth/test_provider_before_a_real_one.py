"""A relay before a "real" provider, which is a second simulated one: the bytes, the bills of both, and every fault that it can do."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from forge import popen, run
from provider_under_test import Answer, Provider, ask, chat, connect, read_answer, request_bytes, running_provider, streamed

TOKEN = "token-of-this-run"
PRICES = {"sim-small": {"input_usd_per_mtok": 0.1, "output_usd_per_mtok": 0.1}}


@contextlib.contextmanager
def relay_before(url: str, *, cap_usd: float = 1.0) -> Iterator[Provider]:
    upstream = {"url": url, "key": "sk-real", "address": "127.0.0.1"}
    order = {"token": TOKEN, "spend_cap_usd": cap_usd, "prices": PRICES, "upstreams": {"primary": upstream}}
    command = [sys.executable, "-m", "harness.provider", "--relay"]
    process = popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        ready = json.loads(process.stdout.readline())
        yield Provider(process, ready["control"], ready["endpoints"])
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def real() -> Iterator[Provider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def module_relay(real: Provider) -> Iterator[Provider]:
    with relay_before(f"http://{real.endpoints['primary']}/v1") as relay:
        yield relay


@pytest.fixture
def relay(real: Provider, module_relay: Provider) -> Provider:
    for provider in (real, module_relay):
        provider.ask_control("POST", "/reset")
    return module_relay


def asked(relay: Provider, body: dict, **rest: object) -> Answer:
    return ask(relay, body, key=TOKEN, **rest)


def bill(provider: Provider) -> list[tuple[object, ...]]:
    lines = provider.ask_control("GET", "/meter").json()
    return [(line["model"], line["calls"], line["prompt_tokens"], line["completion_tokens"]) for line in lines]


@pytest.mark.parametrize("body", [chat("Who?"), streamed("Who?"), chat("Who?", stream=True)], ids=["whole", "usage", "no-usage"])
def test_an_answer_is_the_real_one_and_both_meters_agree(relay: Provider, real: Provider, body: dict) -> None:
    direct = ask(real, body)
    real.ask_control("POST", "/reset")
    passed = asked(relay, body, headers=[("x-request-id", "r-1")])
    assert passed.status_code == 200
    if body.get("stream"):
        assert passed.words == direct.words
        assert (passed.usage is None) == ("stream_options" not in body)  # what only the relay asked for stays with it
        assert passed.events[-1] == "[DONE]"
    else:
        assert json.loads(passed.body)["choices"] == json.loads(direct.body)["choices"]
    (mine,), (theirs,) = relay.calls(1), real.calls(1)
    assert bill(relay) == bill(real)
    for name in ("request_id", "model", "prompt_tokens", "completion_tokens", "status_code", "ended"):
        assert mine[name] == theirs[name]
    assert mine["cost_usd"] == pytest.approx(theirs["cost_usd"])
    assert mine["key_fingerprint"] != theirs["key_fingerprint"]  # the target's key is not the real one


def test_content_is_passed_on_as_it_comes_and_not_when_it_is_whole(relay: Provider) -> None:
    with connect(relay.endpoints["primary"]) as connection:
        connection.sendall(request_bytes(streamed("Tell me all"), key=TOKEN))
        answer = read_answer(connection)
    (call,) = relay.calls(1)
    assert answer.terminated
    assert call["last_content_ns"] - call["first_content_ns"] > 20_000_000
    assert len(answer.reads) > 3


@pytest.mark.parametrize(
    ("kind", "parameters", "seen"),
    [
        ("cut", {"after_chunks": 3}, lambda a: (a.words, a.end, a.terminated) == (a.words[:3], "fin", False)),
        ("cut", {"after_chunks": 3, "how": "rst"}, lambda a: a.end == "rst"),
        ("cut", {"after_chunks": 3, "how": "half_chunk"}, lambda a: a.end == "fin" and not a.raw.endswith(b"\r\n")),
        ("status", {"code": 429, "retry_after": "2"}, lambda a: (a.status_code, a.headers["retry-after"]) == (429, "2")),
        ("outage", {}, lambda a: a.raw == b""),
        ("missing_done", {}, lambda a: a.terminated and a.usage is not None and "[DONE]" not in a.events),
        ("error_event", {"after_chunks": 2}, lambda a: "error" in a.events[-1] and a.terminated),
        ("malformed_json", {"after_chunks": 2}, lambda a: a.events[-1] == "[DONE]" and b"{" in a.body),
        ("slow_first_token", {"delay_ms": 400}, lambda a: a.terminated),
        ("slow_headers", {"delay_ms": 400, "trickle": True}, lambda a: a.terminated),
        ("stall", {"after_chunks": 2, "for_ms": 400}, lambda a: a.terminated),
        ("overload", {"concurrency": 1, "queue": 0}, lambda a: a.terminated),
        ("rate_limit", {"calls": 0, "window_s": 60}, lambda a: (a.status_code, int(a.headers["retry-after"]) > 0) == (429, True)),
    ],
)
def test_a_fault_acts_on_the_real_answer_and_is_counted(relay: Provider, kind: str, parameters: dict, seen: object) -> None:
    relay.set_fault(kind, parameters)
    began = time.monotonic()
    broken = asked(relay, streamed("Who?"))
    took_s = time.monotonic() - began
    assert seen(broken)
    assert took_s > 0.4 or kind not in ("slow_first_token", "slow_headers", "stall")
    assert relay.calls(1)[0]["fault"] == (None if kind == "overload" else kind)
    assert relay.clear_faults() == {kind: 0 if kind == "overload" else 1}


def test_a_fault_that_is_cleared_lets_go_what_it_holds_and_touches_nothing_more(relay: Provider) -> None:
    relay.set_fault("stall", {"after_chunks": 2})
    with connect(relay.endpoints["primary"]) as connection:
        connection.sendall(request_bytes(streamed("Who?"), key=TOKEN))
        assert not read_answer(connection, for_s=1.0).terminated
        assert relay.clear_faults() == {"stall": 1}
        assert read_answer(connection, until=b"[DONE]\n\n\r\n0\r\n\r\n").raw.endswith(b"[DONE]\n\n\r\n0\r\n\r\n")
    assert asked(relay, streamed("Who?")).events[-1] == "[DONE]"
    assert [call["fault"] for call in relay.calls(2)] == ["stall", None]


def test_a_fault_that_refuses_asks_nobody_and_costs_nothing(relay: Provider, real: Provider) -> None:
    relay.set_fault("status", {"code": 503})
    assert asked(relay, chat()).status_code == 503
    assert real.calls() == []
    assert bill(relay) == []


def test_who_does_not_show_the_token_of_the_run_spends_nothing(relay: Provider, real: Provider) -> None:
    assert ask(relay, chat(), key="sk-somebody").status_code == 401
    with connect(relay.endpoints["primary"]) as connection:
        connection.sendall(f"GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n\r\n".encode())
        assert b"sim-small" in read_answer(connection).body
    assert asked(relay, chat(), path="/v1/files").status_code == 404
    assert asked(relay, {**chat(), "model": "sim-large"}).status_code == 404  # known to the provider, priced by nobody
    assert real.calls() == []


def test_a_caller_who_leaves_is_billed_what_came_and_the_provider_hears_of_it(relay: Provider, real: Provider) -> None:
    with connect(relay.endpoints["primary"]) as connection:
        connection.sendall(request_bytes(streamed("Tell me all"), key=TOKEN))
        read_answer(connection, until=b'"content":"')
    (mine,), (theirs,) = relay.calls(1), real.calls(1)
    assert mine["ended"] == theirs["ended"] == "client_gone"


def test_an_error_of_the_real_one_is_passed_on_and_not_billed(relay: Provider, real: Provider) -> None:
    real.set_fault("status", {"code": 529, "retry_after": "7"})
    answer = asked(relay, chat())
    assert (answer.status_code, answer.headers["retry-after"]) == (529, "7")
    assert bill(relay) == []


def test_a_stream_that_the_real_one_breaks_off_is_broken_off(relay: Provider, real: Provider) -> None:
    real.set_fault("cut", {"after_chunks": 2})
    answer = asked(relay, streamed())
    assert (len(answer.words), answer.terminated, answer.end) == (2, False, "fin")
    assert (relay.calls(1)[0]["ended"], relay.calls(1)[0]["fault"]) == ("cut", None)


def test_a_provider_that_is_not_there_is_a_502_that_says_so() -> None:
    with relay_before("http://127.0.0.1:9/v1") as relay:
        answer = asked(relay, chat())
        assert answer.status_code == 502
        assert b"upstream_unreachable" in answer.body
        assert bill(relay) == []


@pytest.mark.usefixtures("relay")  # empties both
def test_beyond_the_cap_every_call_is_refused_and_a_reset_gives_no_new_money(real: Provider) -> None:
    with relay_before(f"http://{real.endpoints['primary']}/v1", cap_usd=0.000015) as poor:
        body = chat("x", max_tokens=100)
        statuses = [asked(poor, body).status_code for _ in range(4)]
        poor.ask_control("POST", "/reset")
        statuses.append(asked(poor, body).status_code)
        assert statuses[0] == 200
        assert statuses[-2:] == [402, 402]
        assert poor.calls(1)[-1]["ended"] == "capped"


def test_an_order_that_is_none_is_bad_usage() -> None:
    command = [sys.executable, "-m", "harness.provider", "--relay"]
    done = run(command, given="{}\n", timeout_s=20)
    assert done.returncode == 2
    assert "standard input holds no line of JSON like" in done.stderr
