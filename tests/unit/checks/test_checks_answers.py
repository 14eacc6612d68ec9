"""Checks that are judged from answers to their probes: what a healthy service answers, and each way in which one can be broken."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from probe_runs import A, Answering, check_of, judged
from run_builder import RunBuilder, call_of, sample

from harness.checks.input_validation.corpus import CASES
from harness.checks.personal_data.canaries import email_of, found_in, key_of, phone_of
from harness.model.judgement import Judgement, Status
from harness.model.plan import Phase, PhaseKind
from harness.model.probe import Credential, Probe
from harness.model.sample import Call

S = 1_000_000_000
LONG = Phase(name="steady", kind=PhaseKind.STEADY, start_ns=2 * S, end_ns=12 * S)
"""The builder's steady phase; the steps of a check may be longer in a test."""
WIDE = replace(LONG, end_ns=60 * S)


def typed(status: int, code: str = "invalid_request_error", **headers: str) -> A:
    body = {"error": {"message": "No.", "type": code, "param": None, "code": code}}
    return A(status=status, body=body, headers={"x-request-id": "r", **headers}, result="error")


CLOSED = typed(503, "guard_unavailable", **{"retry-after": "1"})

# -- what a healthy service answers ---------------------------------------------------------------------------------


def rotation(probe: Probe, _: int, __: str | None) -> A:
    return typed(401) if probe.name == "old-after" else A()


CASE = {case.name: case for case in CASES}


def validation(probe: Probe, _: int, __: str | None) -> A:
    if probe.name.startswith("attack"):
        return typed(400, "content_blocked")
    case = CASE.get(probe.name)
    return A() if case is None or case.status == 200 else typed(case.status, case.code or "invalid_request_error")


def rates(probe: Probe, _: int, __: str | None) -> A:
    limits = {"x-ratelimit-limit-requests": "10", "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "50"}
    return typed(429, "rate_limit_exceeded", **{"retry-after": "50"}, **limits) if probe.name.startswith("beyond") else A()


def caching(probe: Probe, number: int, _: str | None) -> A:
    if probe.name == "counted-after" and number >= 4:
        return typed(429)
    return A(headers={"x-gateway-cache": "hit-memory" if probe.name.endswith("-again") else "miss"})


def account(spent: object = 0.0065, reserved: object = 0.0) -> A:
    error = {"message": "No.", "type": "budget_exceeded", "code": "budget_exceeded", "spent": spent, "reserved": reserved}
    return A(status=402, body={"error": error}, refusal="budget")


def leaving(probe: Probe, _: int, __: str | None) -> A:
    return A(status=None, result="timeout") if probe.name.startswith("leaves") else account()


def messaging(probe: Probe, _: int, __: str | None) -> A:
    n = probe.name.rpartition("-")[2]
    if probe.name.startswith("fetch"):
        return A(body={"id": f"m{n}", "status": "done", "answer": {}})
    return A(status=202, body={"id": f"m{n}", "status": "processing"})


ENTRY = {"at": "2026-01-01", "actor": "somebody", "tenant": "t", "detail": ""}
ENTRIES = [
    {**ENTRY, "seq": 1, "request_id": "probe-attack-None-0", "action": "ask", "outcome": "content_blocked"},
    {**ENTRY, "seq": 2, "request_id": "probe-forbidden-None-0", "action": "audit.read", "outcome": "permission_error"},
    {**ENTRY, "seq": 3, "request_id": "r9", "action": "knowledge.put", "outcome": "done"},
]


def auditing(probe: Probe, _: int, __: str | None) -> A:
    if probe.name in ("first", "second"):
        return A(body={"entries": ENTRIES})
    return typed(400 if probe.name == "attack" else 405 if probe.name == "erase" else 403)


def privacy(probe: Probe, _: int, __: str | None) -> A:
    if probe.name in ("attack", "too-long", "wrong-key", "bad-type"):
        return typed(400)
    return A(body={"echo": probe.body} if probe.name == "question" else {})


PRIVATE_LOG = {"service-a.log": "\n".join(f'{{"request_id":"probe-{name}-None-0","query":"call +* ***-***-1234"}}' for name in (
    "question", "streamed", "attack", "too-long", "wrong-key", "message"))}  # fmt: skip


def joined(*request_ids: str) -> list[Call]:
    """Return the provider's records of probes, by their request ids."""
    row = sample(0, 3.0)
    return [replace(call_of(row), call_id=f"c{n}", request_id=each) for n, each in enumerate(request_ids)]


def left_calls(*, ended: str = "client_gone", cost_usd: float = 0.001) -> list[Call]:
    calls = joined(*(f"probe-leaves-{n}-None-0" for n in range(16)))
    return [replace(call, ended=ended, cost_usd=cost_usd) for call in calls]


def chosen(name: str) -> Call:
    (call,) = joined(f"probe-{name}-None-0")
    model = {"simple": "sim-small", "near-the-end": "sim-cheap"}.get(name, "sim-large")
    return replace(call, call_id=f"call-{name}", model=model, completion_tokens=8)


CHOSEN = [
    chosen(name)
    for name in ("simple", "hard", "near-the-end", "spent", *(f"{kind}-{n}" for kind in ("capped", "talked") for n in range(4)))
]


def but_call(name: str, **other: object) -> list[Call]:
    return [replace(call, **other) if call.call_id == f"call-{name}" else call for call in CHOSEN]  # type: ignore[arg-type]


def billed(name: str, prompt_tokens: int) -> Call:
    (call,) = joined(f"probe-{name}-None-0")
    return replace(call, call_id=f"call-{name}", prompt_tokens=prompt_tokens)


SHOWN = [billed("own-0", 200), billed("own-1", 200), billed("foreign-0", 30), billed("foreign-1", 30)]

FEATURE = {"x-gateway-features": "other,enhanced-rag"}


def flagged(probe: Probe, _: int, __: str | None) -> A:
    kind, _, n = probe.name.partition("-")
    return A(headers=FEATURE if kind == "on" and int(n) % 2 else {})


ONE_FOR_THE_CROWD = joined("probe-crowd-0-None-0")
ONE_EACH = joined(*(f"probe-send-{n}-None-0" for n in range(6)))

HEALTHY: Mapping[str, tuple[Answering, dict[str, object]]] = {
    "key rotation": (rotation, {}),
    "input validation": (validation, {}),
    "rate refusals": (rates, {}),
    "fails closed": (lambda *_: CLOSED, {}),
    "known keys": (lambda probe, number, where: A() if where == "a" else typed(503), {}),
    "cache": (caching, {"calls": ONE_FOR_THE_CROWD}),
    "reservation leak": (leaving, {"calls": left_calls()}),
    "model choice": (lambda *_: A(), {"calls": CHOSEN}),
    "retrieval": (lambda *_: A(), {"calls": SHOWN}),
    "feature flags": (flagged, {}),
    "messages once": (messaging, {"calls": ONE_EACH}),
    "audit log": (auditing, {}),
    "personal data": (privacy, {"logs": PRIVATE_LOG}),
}


def seen(path: Path, name: str, answering: Answering | None = None, **more: object) -> Judgement:
    healthy, material = HEALTHY[name]
    return judged(path, check_of(name), answering or healthy, phase=WIDE, **(material | more))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", list(HEALTHY))
def test_a_service_that_never_answers_is_inconclusive_and_never_a_pass(name: str, tmp_path: Path) -> None:
    assert seen(tmp_path, name, lambda *_: A(status=None, result="error")).status is Status.INCONCLUSIVE


def but(
    name: str, probe: str, answer: A | Callable[[Probe], A], *, instance: str | None = None, number: int | None = None
) -> Answering:
    """Return the healthy answers but to one probe, at one instance or of one repetition."""
    healthy = HEALTHY[name][0]

    def answering(each: Probe, n: int, where: str | None) -> A | None:
        if each.name == probe and instance in (None, where) and number in (None, n):
            return answer if isinstance(answer, A) else answer(each)
        return healthy(each, n, where)

    return answering


@pytest.mark.parametrize(
    ("name", "probe", "answer", "told"),
    [
        ("key rotation", "old-after", A(), "no instance takes the old key"),
        ("key rotation", "old-in-overlap", typed(401), "old key still works"),
        ("key rotation", "new-in-overlap", typed(401), "takes the new key at once"),
        ("input validation", "too-long", A(), "5001 characters"),
        ("input validation", "longest", typed(400), "5000 characters"),
        ("input validation", "number", A(status=500, body="Traceback (most recent call last)"), "a number instead"),
        ("input validation", "blank", A(status=400, body="No.", headers={"x-request-id": "r"}), "white space is refused"),
        ("input validation", "negative-tokens", A(), "below nought"),
        ("input validation", "split", A(), "split over two messages"),
        ("input validation", "attack-7", A(), "attack is refused"),
        ("input validation", "attack-7", typed(400, "empty_message"), "attack is refused"),
        ("input validation", "look-alike-3", typed(400, "content_blocked"), "look-alike is answered"),
        ("fails closed", "asked-1", A(), "user 2 is refused with a typed 503"),
        ("fails closed", "asked-3", typed(503), "and a Retry-After"),
        ("fails closed", "asked-0", A(status=503, body="Down.", headers={"retry-after": "1"}), "with a typed 503"),
        ("known keys", "asked-5", typed(401, "invalid_api_key"), "user 6 is never called wrong"),
        ("known keys", "asked-0", typed(403), "user 1 is never called wrong"),
        ("rate refusals", "beyond-0", A(), "request 11 is refused"),
        ("rate refusals", "beyond-1", typed(429, "rate_limit_exceeded"), "Retry-After"),
        ("cache", "first-foreign", A(headers={"x-gateway-cache": "hit-shared"}), "another tenant"),
        ("cache", "other-model", A(headers={"x-gateway-cache": "hit-shared"}), "one model was given for another"),
        ("cache", "second-changed", A(headers={"x-gateway-cache": "hit-memory"}), "instance b gave an old answer"),
        ("cache", "counted-after", A(), "counters were wiped"),
        ("reservation leak", "account-3", account(spent=0.0, reserved=0.0065), "held"),
        ("reservation leak", "account-3", account(spent=0.0), "less than the provider billed"),
        ("feature flags", "off-5", A(headers=FEATURE), "after it was killed"),
        ("model choice", "near-the-end", replace(typed(402), refusal="budget"), "near the end of a budget"),
        ("messages once", "again-2", A(status=202, body={"id": "another"}), "became another message"),
        ("messages once", "fetch-1", A(body={"id": "m1", "status": "failed"}), "given up"),
        ("messages once", "fetch-1", A(body={"id": "m1", "status": "processing"}), "no answer in time"),
        ("messages once", "fetch-1", A(status=404), "nobody knows it any more"),
        ("messages once", "send-0", A(status=202, body={"id": "m0"}, took_s=3.0), "not at once"),
        ("audit log", "erase", A(), "could erase it"),
        ("audit log", "second", A(body={"entries": ENTRIES[1:]}), "does not stand there a second later"),
        ("audit log", "first", A(body={"entries": ENTRIES[1:]}), "attack"),
        ("audit log", "first", A(body={"entries": ENTRIES[:2]}), "change of the knowledge base"),
        ("audit log", "first", A(body={"entries": [{**e, "at": ""} for e in ENTRIES]}), "says no `at`"),
        ("personal data", "attack", lambda p: A(status=400, body={"error": p.body}), "answer to attack"),
        ("personal data", "audit", A(body={"entries": [{"detail": email_of("personal-data")}]}), "answer to audit"),
        ("personal data", "metrics", A(body=f'q{{text="{phone_of("personal-data")}"}} 1'), "answer to metrics"),
    ],
)  # fmt: skip
def test_what_is_broken_fails_and_is_named(name: str, probe: str, answer: A, told: str, tmp_path: Path) -> None:
    judgement = seen(tmp_path, name, but(name, probe, answer))
    assert judgement.status is Status.FAIL, judgement.reason
    assert told in judgement.reason


@pytest.mark.parametrize("where", ["a", "b"])
def test_a_feature_that_a_user_has_at_one_instance_only_fails(where: str, tmp_path: Path) -> None:
    judgement = seen(tmp_path, "feature flags", but("feature flags", "on-4", A(headers=FEATURE), instance=where, number=1))
    assert judgement.status is Status.FAIL
    assert "1 of 16 users" in judgement.reason


def test_an_answer_that_came_after_the_kill_says_nothing_of_the_time_before(tmp_path: Path) -> None:
    late = but("feature flags", "on-5", A(took_s=9.0), instance="b", number=1)
    assert seen(tmp_path, "feature flags", late).status is Status.PASS


@pytest.mark.parametrize("headers", [FEATURE, {}, {"x-gateway-features": "enhanced-rag-2"}])
def test_a_feature_for_everybody_or_nobody_is_not_for_half_of_them(headers: dict[str, str], tmp_path: Path) -> None:
    judgement = seen(tmp_path, "feature flags", lambda probe, *_: A(headers=headers if probe.name.startswith("on") else {}))
    assert judgement.status is Status.FAIL
    assert "given to half" in judgement.reason


@pytest.mark.parametrize("name", ["key rotation", "cache", "audit log", "feature flags"])
def test_what_was_not_done_on_the_target_proves_nothing(name: str, tmp_path: Path) -> None:
    judgement = seen(tmp_path, name, actions={"rotate": None, "change": None, "give": None})
    assert judgement.status is Status.INCONCLUSIVE
    assert "could not be done" in judgement.reason


def test_an_attack_that_reached_the_provider_fails_though_it_was_refused(tmp_path: Path) -> None:
    judgement = seen(tmp_path, "input validation", calls=joined("probe-attack-3-None-0"))
    assert judgement.status is Status.FAIL
    assert "sent to the provider all the same" in judgement.reason


@pytest.mark.parametrize(
    ("calls", "told"),
    [
        (but_call("simple", model="sim-large"), "simple went to sim-large"),
        (but_call("hard", model="sim-small"), "hard went to sim-small"),
        (but_call("capped-2", completion_tokens=9), "`max_tokens` allows 8"),
        (but_call("talked-3", completion_tokens=40), "own message allows 18"),
        (but_call("near-the-end", model="sim-large"), "near-the-end went to sim-large"),
        ([*CHOSEN, *joined("probe-greeting-None-0")], "greeting caused 1 calls"),
    ],
)
def test_a_question_that_went_to_the_wrong_model_or_beyond_its_cap_fails(calls: list[Call], told: str, tmp_path: Path) -> None:
    judgement = seen(tmp_path, "model choice", calls=calls)
    assert judgement.status is Status.FAIL
    assert told in judgement.reason


@pytest.mark.parametrize(
    ("call", "told"),
    [(billed("own-1", 80), "without the document"), (billed("foreign-0", 200), "not its own")],
)
def test_a_question_with_a_document_too_few_or_too_many_fails(call: Call, told: str, tmp_path: Path) -> None:
    judgement = seen(tmp_path, "retrieval", calls=[call if each.call_id == call.call_id else each for each in SHOWN])
    assert judgement.status is Status.FAIL
    assert told in judgement.reason


def test_documents_that_were_not_put_or_questions_without_records_prove_no_retrieval(tmp_path: Path) -> None:
    assert seen(tmp_path, "retrieval", calls=SHOWN[1:]).status is Status.INCONCLUSIVE
    assert seen(tmp_path, "retrieval", actions={"put-document": None}).status is Status.INCONCLUSIVE
    not_looked = but("retrieval", "own-0", A(headers={"x-gateway-degraded": "no_context"}))
    assert seen(tmp_path, "retrieval", not_looked).status is Status.INCONCLUSIVE


def test_a_choice_without_records_or_without_money_spent_proves_nothing(tmp_path: Path) -> None:
    assert seen(tmp_path, "model choice", calls=CHOSEN[1:]).status is Status.INCONCLUSIVE
    unspent = but("model choice", "spent", typed(503))
    assert seen(tmp_path, "model choice", unspent).status is Status.INCONCLUSIVE


def test_the_fallback_of_the_second_model_is_no_wrong_choice(tmp_path: Path) -> None:
    calls = but_call("hard", model="sim-backup", endpoint="secondary")
    assert seen(tmp_path, "model choice", calls=calls).status is Status.PASS


def test_a_cache_that_lost_one_answer_is_not_proven_and_one_that_keeps_none_fails(tmp_path: Path) -> None:
    def cache(*lost: str) -> Judgement:
        healthy = HEALTHY["cache"][0]
        miss = A(headers={"x-gateway-cache": "miss"})
        return seen(tmp_path, "cache", lambda probe, n, where: miss if probe.name in lost else healthy(probe, n, where))

    one, both = cache("first-again"), cache("first-again", "second-again")
    assert (one.status, "first question was kept nowhere" in one.reason) == (Status.INCONCLUSIVE, True)
    assert (both.status, "first question, asked again, came from no cache" in both.reason) == (Status.FAIL, True)


def test_a_crowd_that_is_sent_on_twice_fails_and_one_without_records_is_inconclusive(tmp_path: Path) -> None:
    judgement = seen(tmp_path, "cache", calls=joined("probe-crowd-0-None-0", "probe-crowd-3-None-0"))
    assert "2 calls at the provider, not one" in judgement.reason
    assert judgement.status is Status.FAIL
    assert seen(tmp_path, "cache", calls=[]).status is Status.INCONCLUSIVE


def test_a_message_paid_twice_fails(tmp_path: Path) -> None:
    judgement = seen(tmp_path, "messages once", calls=joined("probe-send-4-None-0", "probe-send-4-None-0"))
    assert judgement.status is Status.FAIL
    assert "2 calls" in judgement.reason


def every(name: str, prefix: str, answer: A) -> Answering:
    healthy = HEALTHY[name][0]
    return lambda probe, n, where: answer if probe.name.startswith(prefix) else healthy(probe, n, where)


@pytest.mark.parametrize(
    ("prefix", "answer", "told"),
    [
        ("leaves", A(), "could be left"),
        ("account", A(), "refused for their budget"),
        ("account", account(spent=None, reserved=None), "does not say"),
    ],
)
def test_money_that_nobody_tells_of_is_neither_held_nor_let_go(prefix: str, answer: A, told: str, tmp_path: Path) -> None:
    judgement = seen(tmp_path, "reservation leak", every("reservation leak", prefix, answer))
    assert judgement.status is Status.INCONCLUSIVE
    assert told in judgement.reason


def test_money_that_is_held_until_the_client_is_missed_is_let_go_in_time(tmp_path: Path) -> None:
    slow = but("reservation leak", "account-1", account(spent=0.0, reserved=0.0065), number=0)
    assert seen(tmp_path, "reservation leak", slow).status is Status.PASS


def test_calls_that_are_read_to_their_end_for_nobody_fail(tmp_path: Path) -> None:
    judgement = seen(tmp_path, "reservation leak", calls=left_calls(ended="completed"))
    assert judgement.status is Status.FAIL
    assert "nobody waited for" in judgement.reason
    assert seen(tmp_path, "reservation leak", calls=left_calls()[:2]).status is Status.INCONCLUSIVE  # too few had begun
    one_in_time = [*left_calls(ended="completed")[1:], left_calls()[0]]
    assert seen(tmp_path, "reservation leak", calls=one_in_time).status is Status.PASS


def test_the_question_that_is_too_dear_costs_more_than_any_budget_that_is_read_by_it() -> None:
    from harness.checks import PLANNERS
    from harness.checks.too_dear import too_dear, too_dear_usd

    caps = [*PLANNERS["reservation leak"].plan(check_of("reservation leak"), WIDE).capped_principals.values()]
    caps += PLANNERS["drain"].plan(check_of("drain", at="2s", books=True), WIDE).capped_principals.values()
    assert len(caps) == 17
    assert max(caps) < too_dear_usd()
    (message,) = json.loads(too_dear(7))["messages"]
    assert len(message["content"]) < 5000


@pytest.mark.parametrize("canary", [email_of, phone_of, key_of])
def test_a_canary_in_a_log_fails_with_its_line(canary: Callable[[str], str], tmp_path: Path) -> None:
    text = PRIVATE_LOG["service-a.log"] + "\n" + json.dumps({"debug": f"said {canary('personal-data')}"})
    judgement = seen(tmp_path, "personal data", logs={"service-a.log": text})
    assert judgement.status is Status.FAIL
    assert judgement.evidence[0].ref == "logs/service-a.log:7"


def test_logs_without_the_requests_prove_no_privacy(tmp_path: Path) -> None:
    judgement = seen(tmp_path, "personal data", logs={"service-a.log": "nothing of it"})
    assert judgement.status is Status.INCONCLUSIVE
    assert "stand in no log" in judgement.reason


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{digits}", "phone"),
        ("+1 ({a}) {b}.{c}", "phone"),
        ("***-***-{c}", None),
        ("c***@example.com", None),
        ("id 99{digits_apart}", None),
    ],
)
def test_a_number_is_found_however_it_is_written_and_not_once_masked(text: str, what: str | None) -> None:
    from harness.checks.personal_data.canaries import digits_of

    d = digits_of("x")
    written = text.format(digits=d, a=d[:3], b=d[3:6], c=d[6:], digits_apart=d[:5] + "x" + d[5:])
    assert found_in(written, "x") == what


def test_keys_are_tried_in_the_order_in_which_they_must_work() -> None:
    from harness.checks import PLANNERS

    steps = PLANNERS["key rotation"].plan(check_of("key rotation"), WIDE)
    (rotate,) = steps.actions
    by_name = {probe.name: probe for probe in steps.probes}
    assert by_name["before"].at_ns < rotate.at_ns < by_name["new-in-overlap"].at_ns < by_name["old-after"].at_ns
    assert by_name["new-after"].credential is Credential.NEW
    assert steps.all_needs == {"actions.rotate-key", "instances"}


@pytest.mark.parametrize("name", list(HEALTHY))
def test_a_phase_that_is_too_short_is_refused_before_the_run(name: str) -> None:
    from harness.checks import PLANNERS

    with pytest.raises(ValueError, match="lasts"):
        PLANNERS[name].plan(check_of(name), replace(LONG, end_ns=LONG.start_ns + S))


@pytest.mark.parametrize("name", list(HEALTHY))
def test_no_user_of_a_check_asks_more_than_a_minute_allows(name: str) -> None:
    from collections import Counter

    from harness.checks import PLANNERS

    steps = PLANNERS[name].plan(check_of(name), WIDE)
    asked = Counter[str]()
    for probe in steps.probes:
        if probe.principal is not None and probe.method == "POST" and probe.credential in (Credential.OWN, Credential.NEW):
            asked[probe.principal] += probe.count * (2 if probe.instance == "*" else 1)
    spared = {"steady-rate-refusals", "counted-cache"}  # meant to run into the limit
    assert {name: n for name, n in asked.items() if n > 10 and name not in spared} == {}


def test_a_run_directory_without_probes_is_read_as_none(tmp_path: Path) -> None:
    assert RunBuilder().build(tmp_path / "run").probes() == []


def test_a_rotation_that_took_longer_than_its_overlap_says_nothing_of_the_old_key(tmp_path: Path) -> None:
    refused = but("key rotation", "old-in-overlap", replace(typed(401), took_s=19.0))
    judgement = seen(tmp_path, "key rotation", refused)
    assert judgement.status is Status.INCONCLUSIVE
    assert "old key still works during the overlap" in judgement.reason


RECEIVED = "".join(json.dumps({"event": "delivered", "id": f"m{n}"}) + "\n" for n in range(6))


def test_an_answer_that_was_delivered_once_passes_and_twice_or_never_fails(tmp_path: Path) -> None:
    assert seen(tmp_path, "messages once", logs={"receiver.log": RECEIVED}).status is Status.PASS
    twice = seen(tmp_path, "messages once", logs={"receiver.log": RECEIVED + RECEIVED.splitlines()[2] + "\n"})
    assert (twice.status, "delivered 2 times" in twice.reason) == (Status.FAIL, True)
    never = seen(tmp_path, "messages once", logs={"receiver.log": RECEIVED.split("\n", 1)[1]})
    assert (never.status, "delivered 0 times" in never.reason) == (Status.FAIL, True)
