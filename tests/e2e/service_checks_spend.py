"""Checks of money, cache, keys and rate: each passes on a healthy service and fails on a certain broken one."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from service_bench import Bench, name_of, text_of

FAQS = ["What are your opening hours?", "How can I reset my password?", "Which payment methods are there?"]


def a_burst_never_spends_more_than_the_cap(b: Bench) -> None:
    b.fault("slow_first_token", delay_ms=300)  # so that they are under way at once
    answers = b.burst([b.key(budget_usd=0.0075)] * 30, model="sim-large")
    assert {a.status_code for a in answers} <= {200, 402}
    assert 0 < b.meter_usd() <= 0.0075 + 1e-9


def a_budget_that_does_not_fit_is_a_refusal(b: Bench) -> None:
    key = b.key(budget_usd=0.0016)
    codes = [b.ask(key, model="sim-large").status_code for _ in range(12)]
    assert 402 in codes
    assert 0 < b.meter_usd() <= 0.0016 + 1e-9


def two_instances_share_one_cap(b: Bench) -> None:
    key = b.key(budget_usd=0.0024)
    for number in range(8):
        b.ask(key, at=number % 2, model="sim-large")
    assert 0 < b.meter_usd() <= 0.0024 + 1e-9


def the_ledger_outlives_a_flushed_store(b: Bench) -> None:
    key = b.key(budget_usd=0.0016)
    while b.ask(key, model="sim-large").status_code == 200:
        pass
    b.store().flushall()
    assert b.ask(key, model="sim-large").status_code == 402


def a_shutdown_loses_no_spend(b: Bench) -> None:
    key = b.key()
    for _ in range(3):
        b.ask(key)
    b.service.process.popen.send_signal(signal.SIGTERM)
    assert b.service.process.popen.wait(8) == 0
    assert b.held(key) == 0
    assert b.charged_usd(key) == pytest.approx(b.meter_usd())


def who_leaves_holds_no_money(b: Bench) -> None:
    key = b.key()
    b.leave_in_the_middle(key)
    b.becomes(lambda: b.held(key) == 0, what="the settlement")


def a_cut_stream_is_charged_no_less_than_billed(b: Bench) -> None:
    key = b.key()
    b.leave_in_the_middle(key)
    b.becomes(lambda: b.held(key) == 0 and b.meter_usd() > 0, what="the settlement")
    assert b.charged_usd(key) >= b.meter_usd()


def who_leaves_cancels_the_call(b: Bench) -> None:
    b.leave_in_the_middle(b.key())
    b.becomes(lambda: [c["ended"] for c in b.calls()] == ["client_gone"], what="the cancelling")


def a_fallback_is_charged_as_billed(b: Bench) -> None:
    b.fault("status", code=503)
    key = b.key()
    assert b.ask(key).headers["x-gateway-degraded"] == "0"
    assert b.charged_usd(key) == pytest.approx(b.meter_usd())


def the_bill_is_charged_to_the_cent(b: Bench) -> None:
    key = b.key()
    for text in FAQS:
        b.ask(key, text, model="sim-large")
    assert b.charged_usd(key) == pytest.approx(b.meter_usd())


def a_bill_above_the_reservation_is_charged(b: Bench) -> None:
    b.fault("usage_above", factor=4)
    key = b.key()
    b.ask(key)
    assert b.charged_usd(key) == pytest.approx(b.meter_usd())


def near_the_end_of_a_budget_the_cheap_model_answers(b: Bench) -> None:
    assert b.ask(b.key(budget_usd=0.05, spent_usd=0.0455)).json()["model"] == "sim-cheap"


def an_faq_goes_to_the_small_model(b: Bench) -> None:
    assert b.ask(b.key(), FAQS[0]).json()["model"] == "sim-small"


def tokens_follow_the_users_own_message(b: Bench) -> None:
    said = [("user", "I have this device. " * 100), ("assistant", "Yes?"), ("user", "Explain the warranty.")]
    messages = [{"role": role, "content": content} for role, content in said]
    assert b.service.client.post("/v1/chat/completions", headers=b.key(), json={"messages": messages}).status_code == 200
    assert [c["completion_tokens"] <= 18 for c in b.calls()] == [True]


def the_cap_on_tokens_reaches_the_provider(b: Bench) -> None:
    for number in range(3):
        b.ask(b.key(), f"Explain step by step how the warranty for device {number} works.", model="sim-large")
    assert [c["completion_tokens"] <= 45 for c in b.calls()] == [True] * 3


def an_escalation_is_recorded(b: Bench) -> None:
    before = b.stack.sql("select count(*) from escalation")
    assert b.ask(b.key(), "I want to talk to a human agent about case 4.").headers["x-gateway-provider"] == "rule"
    assert b.stack.sql("select count(*) from escalation") != before


def ten_pass_and_the_eleventh_is_429_over_two_instances(b: Bench) -> None:
    key = b.key()
    assert [b.ask(key, "Hello!", at=i % 2).status_code for i in range(11)] == [200] * 10 + [429]


def a_window_ends_though_one_keeps_asking(b: Bench) -> None:
    key = b.key()
    b.ask(key, "Hello!")
    time.sleep(1.0)
    b.ask(key, "Hello!")
    time.sleep(0.8)
    assert b.ask(key, "Hello!").status_code == 200


def a_429_says_when_to_come_back(b: Bench) -> None:
    key = b.key()
    b.ask(key, "Hello!")
    refused = b.ask(key, "Hello!")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers.get("retry-after", 0)) <= 60


def without_its_store_a_guard_fails_closed(b: Bench) -> None:
    refused = b.ask(b.key())
    assert (refused.status_code, refused.json().get("error", {}).get("type")) == (503, "guard_unavailable")


def a_key_that_only_begins_alike_is_wrong(b: Bench) -> None:
    key = b.key()
    right = key["authorization"]
    assert b.ask(key, "Hello!").status_code == 200
    assert b.ask({"authorization": right[:-1] + ("0" if right[-1] != "0" else "1")}, "Hello!").status_code == 401


def a_revoked_key_is_refused(b: Bench) -> None:
    key = b.key()
    assert b.ask(key, "Hello!").status_code == 200
    b.stack.sql(
        f"update api_key set revoked_at = now() where account_id = (select id from account where name = '{name_of(key)}')"
    )
    assert b.ask(key, "Hello!").status_code == 401


def only_an_administrator_changes_the_knowledge(b: Bench) -> None:
    assert knowledge(b, b.key(), "rights").status_code == 403


def knowledge(b: Bench, key: dict[str, str], name: str) -> httpx.Response:
    body = {"id": name, "title": "Terms", "body": f"New terms of {name}."}
    return b.service.client.post("/admin/knowledge", headers=key, json=body)


def a_cached_answer_stays_in_its_tenant(b: Bench) -> None:
    b.ask(b.key(), temperature=0)
    assert b.ask(b.key(), temperature=0).headers["x-gateway-cache"] == "hit-memory"
    assert b.ask(next(b.users.others), temperature=0).headers["x-gateway-cache"] == "miss"


def a_cached_answer_stays_with_its_model(b: Bench) -> None:
    key = b.key()
    answers = [b.ask(key, temperature=0, model=model) for model in ("sim-large", "sim-small")]
    assert [a.headers["x-gateway-cache"] for a in answers] == ["miss", "miss"]


def a_polite_answer_is_not_kept(b: Bench) -> None:
    for endpoint in ("primary", "secondary"):
        b.fault("status", endpoint=endpoint, code=500)
    key = b.key()
    polite = text_of(b.ask(key, temperature=0))
    b.heal()
    assert text_of(b.ask(key, temperature=0)) != polite


def a_cached_answer_ends_with_its_hour(b: Bench) -> None:
    key = b.key()
    b.ask(key, temperature=0)
    time.sleep(1.2)
    assert b.ask(key, temperature=0).headers["x-gateway-cache"] == "miss"


def new_knowledge_is_heard_on_every_instance(b: Bench) -> None:
    key = b.key()
    for at in (0, 1, 1):
        last = b.ask(key, at=at, temperature=0)
    assert last.headers["x-gateway-cache"] == "hit-memory"
    assert knowledge(b, next(b.users.admins), "heard").status_code == 201
    time.sleep(1.2)
    assert b.ask(key, at=1, temperature=0).headers["x-gateway-cache"] == "miss"


def new_knowledge_leaves_the_rate_counters(b: Bench) -> None:
    key = b.key()
    before = int(b.ask(key, "Hello!").headers["x-ratelimit-remaining-requests"])
    assert knowledge(b, next(b.users.admins), "counters").status_code == 201
    assert int(b.ask(key, "Hello!").headers["x-ratelimit-remaining-requests"]) == before - 1


def a_hit_says_so_and_costs_nothing(b: Bench) -> None:
    key = b.key()
    b.ask(key, temperature=0)
    hit = b.ask(key, temperature=0)
    assert (hit.headers["x-gateway-cache"], hit.headers["x-gateway-cost-usd"]) == ("hit-memory", "0.000000000")
    assert len(b.calls()) == 1


def who_is_refused_for_want_of_budget_is_told_of(b: Bench) -> None:
    key = b.key(budget_usd=0.001, spent_usd=0.00099)
    assert b.ask(key, model="sim-large").status_code == 402
    scope = f"user:{b.stack.sql(f'select id from account where name = {chr(39)}{name_of(key)}{chr(39)}')[0][0]}"

    def told() -> bool:
        alerts = [line for line in b.service.process.log_lines() if line.get("event") == "budget_alert"]
        return any((alert["level"], alert["scope"]) == ("critical", scope) for alert in alerts)

    b.becomes(told, b.told_within_s(5.0), "the alert")


def the_pool_stays_within_twenty(b: Bench) -> None:
    """Sixty ask while no statement on keys ends: each wants a connection, and none gives one back until all have been seen."""
    keys = b.keys(60)
    b.ask(b.key(), "Hello!")
    waiting = "select count(*), count(*) filter (where wait_event_type = 'Lock') from pg_stat_activity where application_name = 'pooled'"

    def seen() -> tuple[int, int]:
        connections, held = b.stack.sql(waiting)[0]
        return int(connections), int(held)

    with ThreadPoolExecutor(1) as pool, b.locked("api_key"):
        asked = pool.submit(b.burst, keys, "Hello!", within_s=30.0)
        b.becomes(lambda: b.metric("gateway_requests_in_flight") >= 60, 15.0, "sixty requests at once")
        b.becomes(lambda: seen()[1] >= 15, 15.0, "that they wait for the table")
        # A look costs more than a connection does, on a busy machine too: who wants a twenty-first has it by the tenth.
        most = max(seen()[0] for _ in range(10))
    asked.result()
    assert most <= 20


def a_full_pool_holds_nobody(b: Bench) -> None:
    b.ask(b.key(), "Hello!")
    keys = b.keys(8)
    with b.stack.frozen("postgres"):
        answers = b.burst(keys, "Hello!", within_s=4.0)
    assert {a.status_code for a in answers} == {503}


def a_frozen_database_holds_nobody(b: Bench) -> None:
    b.ask(b.key(), "Hello!")
    key = b.key()
    with b.stack.frozen("postgres"):
        assert b.ask(key, "Hello!", within_s=4.0).status_code == 503


def a_frozen_store_holds_nobody(b: Bench) -> None:
    b.ask(b.key(), "Hello!")
    key = b.key()
    with b.stack.frozen("store"):
        assert b.ask(key, "Hello!", within_s=2.0).status_code == 503


MANY = {"rate_limit": "1000"}
PAIR = {"instances": 2}
PATIENT = {
    "identity_cache_s": "0",
    "database_timeout_s": "30",
    "database_connect_timeout_s": "30",
    "guard_breaker_failures": "1000",
}
OWN = {"version": "own"}  # a healthy instance that no other check has used
NO_STORE = {"store_url": "redis://127.0.0.1:1/0"}
NO_DATABASE = {"database_url": "postgresql://postgres@127.0.0.1:1/x"}
SPEND_CHECKS = {
    "budget-alert-missing": (who_is_refused_for_want_of_budget_is_told_of, {}),
    "budget-check-then-increment": (a_burst_never_spends_more_than_the_cap, MANY),
    "budget-shrinks-reservation": (a_budget_that_does_not_fit_is_a_refusal, MANY),
    "budget-per-process": (two_instances_share_one_cap, PAIR),
    "budget-in-the-store": (the_ledger_outlives_a_flushed_store, OWN),
    "spend-lost-at-shutdown": (a_shutdown_loses_no_spend, OWN),
    "reservation-leaked-on-disconnect": (who_leaves_holds_no_money, {}),
    "cut-streams-not-charged": (a_cut_stream_is_charged_no_less_than_billed, {}),
    "cancelled-call-read-on": (who_leaves_cancels_the_call, {}),
    "fallback-not-charged": (a_fallback_is_charged_as_billed, {}),
    "estimate-charged-not-usage": (the_bill_is_charged_to_the_cent, {}),
    "overbilling-not-charged": (a_bill_above_the_reservation_is_charged, {}),
    "cheap-model-never-used": (near_the_end_of_a_budget_the_cheap_model_answers, {}),
    "routing-always-large": (an_faq_goes_to_the_small_model, {}),
    "max-tokens-of-the-conversation": (tokens_follow_the_users_own_message, {}),
    "max-tokens-not-sent": (the_cap_on_tokens_reaches_the_provider, {}),
    "escalation-not-recorded": (an_escalation_is_recorded, {}),
    "rate-limit-per-process": (ten_pass_and_the_eleventh_is_429_over_two_instances, PAIR),
    "rate-limit-window-slides": (a_window_ends_though_one_keeps_asking, {"rate_limit": "2", "rate_window_s": "1.6"}),
    "rate-limit-without-retry-after": (a_429_says_when_to_come_back, {"rate_limit": "1"}),
    "rate-limit-fails-open": (without_its_store_a_guard_fails_closed, NO_STORE),
    "auth-fault-is-401": (without_its_store_a_guard_fails_closed, NO_DATABASE),
    "auth-key-by-prefix": (a_key_that_only_begins_alike_is_wrong, {}),
    "auth-revoked-keys-accepted": (a_revoked_key_is_refused, {"identity_cache_s": "0"}),
    "auth-everybody-is-admin": (only_an_administrator_changes_the_knowledge, {}),
    "cache-key-without-tenant": (a_cached_answer_stays_in_its_tenant, OWN),
    "cache-key-without-model": (a_cached_answer_stays_with_its_model, OWN),
    "cache-keeps-degraded": (a_polite_answer_is_not_kept, OWN),
    "cache-never-expires": (a_cached_answer_ends_with_its_hour, {"cache_ttl_s": "1"}),
    "cache-stale-on-one-instance": (new_knowledge_is_heard_on_every_instance, PAIR),
    "cache-flush-wipes-counters": (new_knowledge_leaves_the_rate_counters, {}),
    "cache-hits-look-like-misses": (a_hit_says_so_and_costs_nothing, OWN),
    "pool-unbounded": (the_pool_stays_within_twenty, {"instance": "pooled", **PATIENT}),
    "pool-without-timeout": (a_full_pool_holds_nobody, {"identity_cache_s": "0", "database_pool_max": "1"}),
    "database-without-timeout": (a_frozen_database_holds_nobody, {"identity_cache_s": "0"}),
    "store-without-timeout": (a_frozen_store_holds_nobody, {}),
}
"""The defect, the check that catches it, and the settings that both services of the check run with."""
