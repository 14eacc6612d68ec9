"""What a client sees while the provider, a store or the service itself is failing, and what it costs."""

import json
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from service_stack import Instance, Stack, direct, running_stack, wait_until

QUESTION = "Explain step by step how the warranty for device 7 works."


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack() as running:
        yield running


@pytest.fixture(autouse=True)
def healthy_provider(stack: Stack) -> Iterator[None]:
    yield
    direct.delete(f"{stack.control}/faults")


def break_provider(stack: Stack, kind: str, *, endpoint: str = "primary", **parameters: object) -> None:
    fault = {"id": f"{endpoint}-{kind}", "endpoint": endpoint, "kind": kind, "parameters": parameters}
    direct.put(f"{stack.control}/faults", json=fault).raise_for_status()


def meter_usd(stack: Stack) -> float:
    return sum(line["cost_usd"] for line in direct.get(f"{stack.control}/meter").json())


def burst(instances: list[Instance], keys: list[dict[str, str]], text: str, **body: object) -> list[tuple[httpx.Response, float]]:
    def one(i: int) -> tuple[httpx.Response, float]:
        began = time.monotonic()
        answer = instances[i % len(instances)].ask(keys[i], text, **body)
        return answer, time.monotonic() - began

    with ThreadPoolExecutor(len(keys)) as pool:
        return list(pool.map(one, range(len(keys))))


@pytest.mark.parametrize(
    ("kind", "parameters", "stream"),
    [
        ("slow_headers", {"delay_ms": 60000}, False),
        ("slow_first_token", {"delay_ms": 60000}, True),
        ("outage", {}, True),
        ("status", {"code": 503}, False),
        ("wrong_content_type", {}, False),
        ("malformed_json", {"after_chunks": 0}, True),
    ],
)
def test_a_dark_primary_costs_a_user_seconds_but_no_answer(stack: Stack, kind: str, parameters: dict[str, object], stream: bool):
    break_provider(stack, kind, **parameters)
    with stack.instance() as service:
        answers = burst([service], stack.users(8), QUESTION, stream=stream)
        assert [a.status_code for a, _ in answers] == [200] * 8
        assert {a.headers["x-gateway-provider"] for a, _ in answers} == {"secondary"}
        assert {a.headers["x-gateway-fallback"] for a, _ in answers} == {"1"}
        assert max(seconds for _, seconds in answers) < 4.8
        after = service.ask(stack.user(), QUESTION, stream=stream)
        assert after.headers["x-gateway-provider"] == "secondary"
        assert after.headers["x-gateway-circuit"] in ("open", "half-open")


def test_users_are_back_on_the_primary_within_ten_seconds(stack: Stack):
    with stack.instance() as service:
        break_provider(stack, "slow_headers", delay_ms=60000)
        burst([service], stack.users(8), QUESTION)
        direct.delete(f"{stack.control}/faults")
        back_at = time.monotonic()
        keys = iter(stack.users(60))

        def on_primary() -> bool:
            answer = service.ask(next(keys), QUESTION)
            return (answer.headers["x-gateway-provider"], answer.headers["x-gateway-circuit"]) == ("primary", "closed")

        wait_until(on_primary, within_s=10, what="the return to the primary")
        assert time.monotonic() - back_at < 10


def test_without_fallback_a_dark_primary_is_a_typed_error(stack: Stack):
    break_provider(stack, "slow_headers", delay_ms=60000)
    with stack.instance(fallback="off") as service:
        *keys, last = stack.users(7)  # made before: the circuit is open for two seconds only
        answers = burst([service], keys, QUESTION)
        assert {a.status_code for a, _ in answers} == {504}
        refused = service.ask(last, QUESTION)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "circuit_open")
    assert refused.headers["retry-after"].isdigit()


def test_when_every_model_is_dark_an_old_answer_or_a_polite_one_is_given_and_marked(stack: Stack):
    key = stack.user()
    with stack.instance(cache_ttl_s="1") as service:
        text = service.ask(key, QUESTION, temperature=0).json()["choices"][0]["message"]["content"]
        time.sleep(1.1)
        for endpoint in ("primary", "secondary"):
            break_provider(stack, "status", endpoint=endpoint, code=500)
        old, polite = service.ask(key, QUESTION, temperature=0), service.ask(key, QUESTION)
    assert (old.status_code, old.headers["x-gateway-degraded"], old.headers["x-gateway-cache"]) == (200, "stale_cache", "stale")
    assert old.json()["choices"][0]["message"]["content"] == text
    assert (polite.status_code, polite.headers["x-gateway-degraded"], polite.headers["x-gateway-cost-usd"]) == (
        200,
        "canned",
        "0.000000000",
    )


def test_a_request_that_the_provider_refuses_is_not_sent_to_the_second_model(stack: Stack):
    break_provider(stack, "status", code=422)
    with stack.instance() as service:
        answer = service.ask(stack.user(), QUESTION)
    assert (answer.status_code, answer.headers["x-gateway-attempts"], answer.headers["x-gateway-fallback"]) == (400, "1", "0")


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [("cut", {"after_chunks": 5}), ("stall", {"after_chunks": 5}), ("error_event", {}), ("missing_done", {})],
)
def test_a_stream_that_breaks_ends_with_an_error_event_and_without_done(stack: Stack, kind: str, parameters: dict[str, object]):
    break_provider(stack, kind, **parameters)
    with stack.instance() as service:
        key = stack.user()
        answer = service.ask(key, QUESTION, stream=True)
        lines = [line[6:] for line in answer.text.split("\n\n") if line]
        assert answer.status_code == 200
        assert json.loads(lines[-1])["error"]["type"] == "upstream_stream_error"
        assert "[DONE]" not in answer.text
        whole = service.ask(key, QUESTION)  # nothing was sent yet, so the second model may still answer
        assert (whole.status_code, whole.headers["x-gateway-provider"]) == (200, "secondary")


@pytest.mark.parametrize("stream", [False, True])
def test_a_secret_in_the_answer_does_not_leave(stack: Stack, stream: bool):
    break_provider(stack, "leak_pii", what="secret")
    with stack.instance() as service:
        answer = service.ask(stack.user(), QUESTION, stream=stream)
    assert "sk-test" not in answer.text
    assert "content_blocked" in answer.text
    assert "[DONE]" not in answer.text


def test_a_burst_at_the_cap_over_two_instances_never_spends_more(stack: Stack):
    # A call may cost 0.00072; the cap has room for ten.
    keys = [stack.user(budget_usd=0.0072)] * 40
    direct.post(f"{stack.control}/reset")
    with stack.instance(rate_limit="1000") as here, stack.instance(rate_limit="1000") as there:
        answers = [a for a, _ in burst([here, there], keys, QUESTION, model="sim-large")]
    codes = [a.status_code for a in answers]
    assert set(codes) == {200, 402}
    assert codes.count(200) >= 10
    refused = next(a for a in answers if a.status_code == 402).json()["error"]
    assert refused["type"] == "budget_exceeded"
    assert refused["limit"] == pytest.approx(0.0072)
    assert 0.0072 - 0.00072 < refused["spent"] + refused["reserved"] <= 0.0072 + 1e-9
    assert 0 < meter_usd(stack) <= 0.0072 + 1e-9


def test_past_nine_tenths_of_the_budget_the_cheap_model_answers(stack: Stack):
    # Another 0.00072 fits, but is more than nine tenths of the cap.
    with stack.instance() as service:
        models = [service.ask(stack.user(budget_usd=cap), QUESTION).json()["model"] for cap in (0.0009, 0.00078)]
    assert models == ["sim-large", "sim-cheap"]


def test_a_client_that_leaves_cancels_the_call_and_is_charged_what_was_held(stack: Stack):
    key = stack.user()
    direct.post(f"{stack.control}/reset")
    break_provider(stack, "stall", after_chunks=3)
    with stack.instance() as service:
        with service.client.stream(
            "POST",
            "/v1/chat/completions",
            headers=key,
            json={"messages": [{"role": "user", "content": QUESTION}], "stream": True},
        ) as answer:
            next(answer.iter_bytes())
        wait_until(lambda: stack.sql("select count(*) from reservation where state = 'held'") == [["0"]], what="the settlement")
        wait_until(
            lambda: [c["ended"] for c in direct.get(f"{stack.control}/calls").json()] == ["client_gone"],
            what="the cancelling",
        )
    charged = stack.sql("select charged_nanousd from reservation order by created_at desc limit 1")
    assert charged == [["720000"]]


def test_the_ledger_and_the_providers_meter_agree(stack: Stack):
    direct.post(f"{stack.control}/reset")
    before = int(stack.sql("select coalesce(sum(charged_nanousd), 0) from reservation")[0][0])
    with stack.instance() as service:
        burst([service], stack.users(20), QUESTION, stream=True)
    after = int(stack.sql("select sum(charged_nanousd) from reservation")[0][0])
    assert (after - before) / 1e9 == pytest.approx(meter_usd(stack))
    assert stack.sql("select sum(reserved_nanousd) from budget") == [["0"]]


@pytest.mark.parametrize("name", ["store", "postgres"])
def test_a_frozen_store_means_503_at_once_and_passes_by_itself(stack: Stack, name: str):
    with stack.instance(identity_cache_s="0") as service:
        assert service.ask(stack.user(), QUESTION).status_code == 200
        keys = stack.users(12)
        with stack.frozen(name):
            answers = [(service.ask(key, QUESTION), time.monotonic()) for key in keys[:6]]
            began = time.monotonic()
            last = service.ask(keys[6], QUESTION)
            took_s = time.monotonic() - began
            live, ready = service.client.get("/live"), service.client.get("/ready")
        assert {a.status_code for a, _ in answers} == {503}
        assert (last.json()["error"]["type"], last.headers["retry-after"]) == ("guard_unavailable", "1")
        assert took_s < 1.0
        assert (live.status_code, ready.status_code) == (200, 503)
        wait_until(lambda: service.client.get("/ready").status_code == 200, within_s=5, what="readiness")
        wait_until(lambda: service.ask(keys[7], QUESTION).status_code == 200, within_s=5, what="an answer")


def test_it_starts_while_its_stores_are_down_and_says_so(stack: Stack):
    with stack.instance(database_url="postgresql://postgres@127.0.0.1:1/x", store_url="redis://127.0.0.1:1/0") as service:
        assert service.client.get("/live").status_code == 200
        ready = service.client.get("/ready")
        assert ready.status_code == 503
        assert ready.json()["dependencies"]["postgres"].startswith("down")
        answer = service.ask({"authorization": "Bearer sk-some-key-or-other"}, QUESTION)
        assert (answer.status_code, answer.json()["error"]["type"]) == (503, "guard_unavailable")


def test_sigterm_finishes_what_is_in_flight_settles_it_and_exits_with_0(stack: Stack):
    key = stack.user()
    with stack.instance(drain_grace_s="0.5") as service:
        url, body = "/v1/chat/completions", {"messages": [{"role": "user", "content": QUESTION * 5}], "stream": True}
        with service.client.stream("POST", url, headers=key, json=body) as answer:
            pieces = answer.iter_text()
            text = next(pieces)
            began = time.monotonic()
            service.process.popen.send_signal(signal.SIGTERM)
            with httpx.Client(base_url=service.client.base_url) as other:
                wait_until(lambda: other.get("/ready").status_code == 503, within_s=0.5, what="unreadiness")
            text += "".join(pieces)
        assert text.endswith("data: [DONE]\n\n")
        assert service.process.popen.wait(5) == 0
        assert time.monotonic() - began < 5
    assert stack.sql("select count(*) from reservation where state = 'held'") == [["0"]]


def test_a_message_is_answered_at_once_and_done_once_by_the_worker(stack: Stack):
    key = stack.user()
    with stack.instance() as service:
        taken = [
            service.client.post(
                "/message", headers={**key, "idempotency-key": "m-1"}, json={"messages": [{"role": "user", "content": QUESTION}]}
            ).json()
            for _ in range(2)
        ]
        assert taken[0] == taken[1]
        assert taken[0]["status"] == "processing"
        workers = [stack.program(["-m", "reference_service.worker"], stack.environment(instance=f"w{i}")) for i in range(2)]
        path = f"/message/{taken[0]['id']}"
        wait_until(lambda: service.client.get(path, headers=key).json()["status"] == "done", what="the worker's answer")
        assert service.client.get(path, headers=key).json()["answer"]["choices"][0]["message"]["content"]
        assert service.client.get(path, headers=stack.user()).status_code == 404
        assert [w.stop() for w in workers] == [0, 0]
    assert stack.sql("select attempts, state from message") == [["1", "done"]]
