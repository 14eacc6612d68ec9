"""What a client sees on a healthy service, and what a wrong request gets."""

import json
from collections.abc import Iterator

import httpx
import pytest
from service_stack import Instance, Stack, direct, running_stack

GATEWAY_HEADERS = {
    "x-request-id", "x-gateway-provider", "x-gateway-attempts", "x-gateway-fallback", "x-gateway-circuit", "x-gateway-cache", "x-gateway-degraded",
    "x-gateway-version", "x-gateway-instance",
}  # fmt: skip
QUESTION = "Explain step by step how the warranty for device 7 works."


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack() as running:
        yield running


@pytest.fixture(scope="module")
def service(stack: Stack) -> Iterator[Instance]:
    with stack.instance() as instance:
        yield instance


def events(answer: httpx.Response) -> list[dict]:
    lines = [line[6:] for line in answer.text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def test_an_answer_is_openai_shaped_and_says_how_it_came_about(stack: Stack, service: Instance):
    answer = service.ask(stack.user(), QUESTION, headers={"x-request-id": "my-id-1"})
    body = answer.json()
    assert answer.status_code == 200, answer.text
    assert GATEWAY_HEADERS | {"x-gateway-cost-usd"} <= set(answer.headers)
    assert answer.headers["x-request-id"] == "my-id-1"
    assert (answer.headers["x-gateway-provider"], answer.headers["x-gateway-attempts"]) == ("primary", "1")
    assert body["choices"][0]["message"]["role"] == "assistant"
    # 57 bytes are 15 tokens, of which three times as many may be answered; $3 and $15 a million
    prompt_tokens, completion_tokens = body["usage"]["prompt_tokens"], body["usage"]["completion_tokens"]
    assert prompt_tokens == 15
    assert 0 < completion_tokens <= 45
    assert float(answer.headers["x-gateway-cost-usd"]) == pytest.approx((15 * 3 + completion_tokens * 15) / 1e6)
    calls = direct.get(f"{stack.control}/calls").json()
    assert [c["request_id"] for c in calls].count("my-id-1") == 1


def test_a_stream_ends_with_its_usage_its_cost_and_done(stack: Stack, service: Instance):
    answer = service.ask(stack.user(), QUESTION, stream=True, stream_options={"include_usage": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert set(answer.headers) >= GATEWAY_HEADERS
    chunks = events(answer)
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert chunks[-2]["choices"][0]["finish_reason"] in ("stop", "length")
    completion_tokens = chunks[-1]["usage"]["completion_tokens"]
    assert chunks[-1]["gateway"]["cost_usd"] == pytest.approx((15 * 3 + completion_tokens * 15) / 1e6)


def test_an_faq_goes_to_the_small_model_with_a_hundred_tokens(stack: Stack, service: Instance):
    body = service.ask(stack.user(), "What are your opening hours?").json()
    assert body["model"] == "sim-small"
    assert 0 < body["usage"]["completion_tokens"] <= 100


def test_greetings_and_escalations_are_answered_by_rule_and_cost_nothing(stack: Stack, service: Instance):
    key = stack.user()
    for text in ("Hello!", "I want to talk to a human agent about case 4."):
        answer = service.ask(key, text)
        assert (answer.headers["x-gateway-provider"], answer.headers["x-gateway-cost-usd"]) == ("rule", "0.000000000")
    assert stack.sql("select count(*) from escalation")[0][0] != "0"


def test_the_same_question_is_cached_for_the_tenant_and_for_no_other(stack: Stack):
    ann, ben, eve = stack.user(tenant="one"), stack.user(tenant="one"), stack.user(tenant="two")
    with stack.instance() as here, stack.instance() as there:
        first = here.ask(ann, "Describe the plans, please.", temperature=0)
        again = here.ask(ben, "Describe the plans, please.", temperature=0)
        elsewhere = there.ask(ann, "Describe the plans, please.", temperature=0, stream=True)
        other = here.ask(eve, "Describe the plans, please.", temperature=0)
        assert [a.headers["x-gateway-cache"] for a in (first, again, elsewhere, other)] == [
            "miss",
            "hit-memory",
            "hit-shared",
            "miss",
        ]
        assert again.headers["x-gateway-cost-usd"] == "0.000000000"
        text = first.json()["choices"][0]["message"]["content"]
        assert again.json()["choices"][0]["message"]["content"] == text
        assert "".join(e["choices"][0]["delta"].get("content", "") for e in events(elsewhere)) == text


def test_new_knowledge_makes_cached_answers_a_miss_and_leaves_the_rate_counters(stack: Stack, service: Instance):
    key, admin = stack.user(), stack.user(role="admin")
    service.ask(key, "Describe the terms, please.", temperature=0)
    left = int(service.ask(key, "Describe the terms, please.", temperature=0).headers["x-ratelimit-remaining-requests"])
    stored = service.client.post("/admin/knowledge", headers=admin, json={"id": "terms", "title": "Terms", "body": "New terms."})
    assert stored.status_code == 201
    answer = service.ask(key, "Describe the terms, please.", temperature=0)
    assert answer.headers["x-gateway-cache"] == "miss"
    assert int(answer.headers["x-ratelimit-remaining-requests"]) == left - 1
    refused = service.client.post("/admin/knowledge", headers=key, json={"id": "x", "title": "x", "body": "x"})
    assert (refused.status_code, refused.json()["error"]["type"]) == (403, "permission_error")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{", 400, "invalid_json"),
        (b"[]", 400, "invalid_json"),
        (b"\xff\xfe", 400, "invalid_json"),
        (b"{}", 400, "invalid_request_error"),
        (b"[" * 5000, 400, "too_deep"),
        (b'{"messages": "' + b"x" * 300_000 + b'"}', 413, "body_too_large"),
        (b'{"messages": [{"role": "user", "content": "  \\n "}]}', 400, "empty_message"),
        (b'{"messages": [{"role": "user", "content": "' + b"x" * 5001 + b'"}]}', 400, "message_too_long"),
        (b'{"messages": [{"role": "user", "content": 5}]}', 400, "invalid_request_error"),
        (b'{"messages": [{"role": "user", "content": "a\\u0000b"}]}', 400, "invalid_text"),
        (b'{"messages": [{"role": "user", "content": "x"}], "max_tokens": -1}', 400, "invalid_request_error"),
        (b'{"messages": [{"role": "user", "content": "x"}], "model": "gpt-9"}', 404, "model_not_found"),
    ],
)
def test_a_wrong_request_gets_a_typed_refusal(stack: Stack, service: Instance, content: bytes, status: int, code: str):
    answer = service.client.post("/v1/chat/completions", content=content, headers=stack.user())
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert set(answer.headers) >= GATEWAY_HEADERS
    assert "Traceback" not in answer.text


def test_five_thousand_characters_and_huge_max_tokens_are_fine(stack: Stack, service: Instance):
    answer = service.ask(stack.user(), " " + "y" * 5000 + " ", max_tokens=10**9, model="sim-cheap")
    assert (answer.status_code, answer.headers["x-gateway-provider"]) == (200, "primary")
    assert answer.json()["usage"]["prompt_tokens"] == 1250


def test_no_key_and_a_wrong_key_are_401(service: Instance):
    for headers, code in (({}, "missing_api_key"), ({"authorization": "Bearer sk-not-a-key-of-anyone"}, "invalid_api_key")):
        answer = service.ask(headers, "Hello!")
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, code)
        assert set(answer.headers) >= GATEWAY_HEADERS


def test_ten_requests_pass_and_the_eleventh_is_429_over_both_instances(stack: Stack):
    key = stack.user()
    with stack.instance() as here, stack.instance() as there:
        answers = [(here, there)[i % 2].ask(key, "Hello!") for i in range(11)]
    assert [a.status_code for a in answers] == [200] * 10 + [429]
    assert answers[-1].json()["error"]["type"] == "rate_limit_exceeded"
    assert 55 <= int(answers[-1].headers["retry-after"]) <= 60


def test_personal_data_and_keys_are_masked_in_the_log(stack: Stack, service: Instance):
    key = stack.user()
    service.ask(key, "Describe what you know of jane.roe@example.com, +62 812-3456-7890.", headers={"x-request-id": "masked-1"})
    line = service.process.logged("masked-1")
    assert line["query"] == "Describe what you know of j***@example.com, +** ***-****-7890."
    assert "jane.roe" not in service.process.log.read_text()
    assert key["authorization"][7:] not in service.process.log.read_text()


def test_metrics_have_the_documents_names_and_buckets(stack: Stack, service: Instance):
    service.ask(stack.user(), QUESTION)
    text = service.client.get("/metrics").text
    assert 'http_request_duration_seconds_bucket{le="5.0",method="POST",route="/v1/chat/completions",status_code="200"}' in text
    assert 'llm_tokens_total{intent="knowledge",model="sim-large"}' in text
    assert {'le="10.0"', 'le="30.0"'} <= set(text.replace("{", ",").split(","))


def test_unknown_paths_and_methods_are_typed_too(service: Instance):
    for method, path, status in (("GET", "/nope", 404), ("GET", "/v1/chat/completions", 405)):
        answer = service.client.request(method, path)
        assert (answer.status_code, answer.json()["error"]["type"]) == (status, "invalid_request_error")
        assert set(answer.headers) >= GATEWAY_HEADERS


def test_a_thousand_users_are_provisioned_quickly_and_twice_is_once(stack: Stack):
    order = json.dumps(
        {
            "users": [
                {"name": f"m{i}", "key": f"sk-many-users-{i:06}", "tenant": "many", "daily_budget_usd": None} for i in range(1000)
            ]
        }
    )
    for _ in range(2):
        done = stack.provision(order)
        assert json.loads(done.stdout) == {"event": "provisioned", "users": 1000}
    assert stack.sql("select count(*) from account where tenant = 'many'") == [["1000"]]
    assert stack.sql("select count(*) from api_key where position('sk-many'::bytea in digest) > 0") == [["0"]]


def test_bad_provisioning_input_is_refused_without_showing_keys(stack: Stack):
    done = stack.provision('{"users":[{"name":"a","key":"short-secret","tenant":"t"}]}')
    assert (done.returncode, done.stdout) == (2, "")
    assert "users.0.key" in done.stderr
    assert "short-secret" not in done.stderr
