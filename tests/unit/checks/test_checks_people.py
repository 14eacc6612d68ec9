"""Checks of what people come for and of those who are slow: workflows, golden questions, bodies that do not come."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from probe_runs import A, Answering, check_of, judged
from test_checks_answers import WIDE, joined, typed

from harness.checks import PLANNERS
from harness.checks.quality.golden import DOCUMENTS, GOLDEN, Golden
from harness.checks.workflows.planning import RATED_IN_WORDS, SCORES, WISHES, document_of
from harness.model.judgement import Judgement, Status
from harness.model.probe import Probe
from harness.stats import most_bad_that_passes

# -- workflows -----------------------------------------------------------------------------------------------------------

WORKFLOWS = check_of("workflows")
BEFORE: Mapping[str, int] = {"escalations": 1, "scores": 4, "score_sum": 9, "day_scores": 6, "day_good_scores": 3}
KEPT: Mapping[str, int] = {"escalations": 3, "scores": 7, "score_sum": 20, "day_scores": 9, "day_good_scores": 5}
RULES = {"greeting": "Hello!", "wish-0": "A colleague comes.", "wish-1": "A colleague comes.", "rated-in-words": "Thank you."}


def said(text: str, provider: str, *sources: str, tokens: int = 30) -> A:
    body = {
        "choices": [{"message": {"content": text}}],
        "usage": {"completion_tokens": tokens},
        "gateway": {"sources": [{"id": each} for each in sources]},
    }
    return A(body=body, headers={"x-gateway-provider": provider})


def visited(probe: Probe, _: int = 0, __: str | None = None) -> A:
    if probe.name in RULES:
        return said(RULES[probe.name], "rule")
    if probe.path == "/feedback":
        return A(status=201, body={"status": "recorded"})
    return said("A model speaks.", "primary", *([document_of(WORKFLOWS)] if probe.name == "knowledge" else []))


def but_of(healthy: Callable[[Probe], A], name: str, answer: A) -> Answering:
    return lambda probe, *_: answer if probe.name == name else healthy(probe)


def visit(
    path: Path, answering: Answering | None = visited, *, kept: Mapping[str, int] | None = KEPT, **more: object
) -> Judgement:
    actions = {"recorded-before": BEFORE, "recorded": kept}
    return judged(path, WORKFLOWS, answering, phase=WIDE, actions=actions, **more)  # type: ignore[arg-type]


def test_each_workflow_that_does_its_own_work_passes(tmp_path: Path) -> None:
    judgement = visit(tmp_path)
    assert judgement.status is Status.PASS, judgement.reason
    assert "2 wishes for a person and 3 scores stand recorded" in judgement.reason
    assert (len(WISHES), len(SCORES) + 1, sum(SCORES) + RATED_IN_WORDS) == (2, 3, 11)


@pytest.mark.parametrize(
    ("probe", "answer", "told"),
    [
        ("greeting", said("A model greets.", "primary"), "greeting is answered by rule does not hold"),
        ("wish-1", said("A model consoles.", "primary"), "wish-1 is answered by rule"),
        ("wish-0", said("Hello!", "rule"), "wish-0 was answered in the words of greeting"),
        ("rated-in-words", said("", "rule"), "rated-in-words is answered by rule"),
        ("faq", said("Long.", "primary", tokens=101), "at most 100 tokens"),
        ("faq", said("Polite.", "canned"), "an FAQ gets a model's answer"),
        ("knowledge", said("Made up.", "primary", "another"), "from the document that it is about"),
        ("knowledge", said("Made up.", "primary"), "from the document that it is about"),
        ("rated-1", A(status=200), "a score is taken"),
    ],
)
def test_a_workflow_that_does_another_s_work_fails(probe: str, answer: A, told: str, tmp_path: Path) -> None:
    judgement = visit(tmp_path, but_of(visited, probe, answer))
    assert judgement.status is Status.FAIL
    assert told in judgement.reason


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        ({"escalations": 1}, "0 wishes for a person came into the database, 2 were given"),
        ({"scores": 5}, "1 scores came into the database, 3 were given"),
        ({"score_sum": 24}, "15 is the sum of the scores that came into the database, 11 were given"),
    ],
)
def test_what_was_promised_and_not_written_down_fails(lost: dict[str, int], told: str, tmp_path: Path) -> None:
    judgement = visit(tmp_path, kept={**KEPT, **lost})
    assert (judgement.status, told in judgement.reason) == (Status.FAIL, True), judgement.reason


def test_a_model_that_is_paid_for_a_greeting_fails_though_a_rule_answered(tmp_path: Path) -> None:
    judgement = visit(tmp_path, calls=joined("probe-greeting-None-0"))
    assert (judgement.status, "a model was asked and paid" in judgement.reason) == (Status.FAIL, True)


def test_a_visit_that_nobody_answered_or_counted_proves_nothing(tmp_path: Path) -> None:
    assert visit(tmp_path, lambda *_: A(status=None, result="error")).status is Status.INCONCLUSIVE
    assert visit(tmp_path, but_of(visited, "faq", typed(503))).status is Status.INCONCLUSIVE
    assert visit(tmp_path, kept=None).status is Status.INCONCLUSIVE


# -- quality -------------------------------------------------------------------------------------------------------------

QUALITY = check_of("quality")
GOOD = sum(golden.score is not None and golden.score >= 4 for golden in GOLDEN)
RATED = sum(golden.score is not None for golden in GOLDEN)
NONE_YET: Mapping[str, int] = dict.fromkeys(KEPT, 0)
COUNTED: Mapping[str, int] = {**KEPT, "day_scores": RATED, "day_good_scores": GOOD}
Takes = Callable[[Golden], str]
Finds = Callable[[Golden], str | None]


def rightly(golden: Golden) -> str:
    return golden.intent


def told_by(takes: Takes, *, escalations: int | None = None, satisfied: float | None = GOOD / RATED, seen: int = 24) -> str:
    """Return the metrics of both instances after the golden questions; before them all counts are nought."""
    counts = {"escalation": sum(takes(golden) == "escalation" for golden in GOLDEN)} if escalations is None else {}
    counts = counts or {"escalation": escalations or 0}
    counts["others"] = len(GOLDEN) - counts["escalation"]
    lines = [f'gateway_intents_total{{intent="{name}"}} {number / 2}' for name, number in counts.items()]
    lines += [f"gateway_retrieval_score_count {seen / 2}", "gateway_intent_accuracy_ratio 1.0"]
    return "\n".join([*lines, f"gateway_day_satisfied_ratio {satisfied}"])


def golden_of(probe: Probe) -> Golden:
    return GOLDEN[int(probe.name.rpartition("-")[2])]


def readers(
    path: Path,
    *,
    takes: Takes = rightly,
    finds: Finds = lambda golden: golden.document,
    answering: Answering | None = None,
    metrics: str | None = None,
    kept: Mapping[str, int] | None = COUNTED,
    log: bool = True,
    asked: bool = True,
) -> Judgement:
    """Return the judgement of a run whose service takes and finds so."""

    def answered(probe: Probe, number: int, where: str | None) -> A | None:
        if answering is not None and (answer := answering(probe, number, where)) is not None:
            return answer
        if probe.name in ("first", "last"):
            return A(body="" if probe.name == "first" else metrics or told_by(takes))
        golden, found = golden_of(probe), finds(golden_of(probe))
        by_rule = takes(golden) in ("greeting", "escalation", "feedback")
        return said("So it is.", "rule" if by_rule else "primary", *([] if found is None or by_rule else [found]))

    lines = [{"request_id": f"probe-golden-{n}-None-0", "intent": takes(golden)} for n, golden in enumerate(GOLDEN)]
    return judged(
        path,
        QUALITY,
        answered if asked else None,
        phase=WIDE,
        actions={"recorded-before": NONE_YET, "recorded": kept},
        logs={"service-a.log": "\n".join(map(json.dumps, lines))} if log else {},
    )


def test_golden_questions_that_are_all_right_pass(tmp_path: Path) -> None:
    judgement = readers(tmp_path)
    assert judgement.status is Status.PASS, judgement.reason
    assert f"intents right {len(GOLDEN)} of {len(GOLDEN)}" in judgement.reason
    assert judgement.test is not None
    assert judgement.test.upper is not None
    assert judgement.test.upper < 0.2


def mistaken(count: int, for_what: str = "knowledge") -> Takes:
    """Return what takes so many messages, from the last backwards, for what they are not."""
    wrong = {golden.text for golden in [each for each in reversed(GOLDEN) if each.intent != for_what][:count]}
    return lambda golden: for_what if golden.text in wrong else golden.intent


@pytest.mark.parametrize(
    ("takes", "told"),
    [
        (lambda _: "knowledge", f"intents right 24 of {len(GOLDEN)}, 90% is asked"),
        (mistaken(14), "was taken for knowledge, and is faq"),
        (mistaken(13, "escalation"), "was taken for escalation, and is "),
    ],
)
def test_messages_that_are_taken_for_what_they_are_not_fail(takes: Takes, told: str, tmp_path: Path) -> None:
    judgement = readers(tmp_path, takes=takes)
    assert judgement.status is Status.FAIL, judgement.reason
    assert told in judgement.reason
    assert judgement.evidence


def test_a_mistake_that_sixty_questions_allow_passes_and_one_too_near_to_the_limit_is_undecided(tmp_path: Path) -> None:
    allowed = most_bad_that_passes(len(GOLDEN), 0.1)
    assert allowed is not None
    assert allowed >= 1
    assert readers(tmp_path, takes=mistaken(allowed)).status is Status.PASS
    judgement = readers(tmp_path, takes=mistaken(allowed + 2))
    assert judgement.status is Status.INCONCLUSIVE
    assert "too near to the 90%" in judgement.reason


@pytest.mark.parametrize("found", [None, "returns"])
def test_questions_that_come_with_another_document_or_none_fail(found: str | None, tmp_path: Path) -> None:
    judgement = readers(tmp_path, finds=lambda golden: golden.document and found)
    assert judgement.status is Status.FAIL
    assert "documents right" in judgement.reason
    assert f"came with {found or 'no document'}, and is about" in judgement.reason


def test_right_answers_that_come_too_late_satisfy_nobody(tmp_path: Path) -> None:
    late = A(**{**_fields(said("So it is.", "rule")), "took_s": 5.5})
    judgement = readers(tmp_path, answering=lambda p, *_: late if p.name.startswith("golden") else None)
    assert judgement.status is Status.FAIL
    assert judgement.test is not None
    assert judgement.test.bad is not None


def _fields(answer: A) -> dict[str, object]:
    return {"status": answer.status, "body": answer.body, "headers": answer.headers}


@pytest.mark.parametrize(
    ("metrics", "kept", "told"),
    [
        (told_by(rightly, escalations=4), COUNTED, "counts 4 escalations where 10 to 10 were seen"),
        (told_by(rightly, escalations=30), COUNTED, "counts 30 escalations where 10"),
        (told_by(rightly, satisfied=0.95), COUNTED, "tells a satisfaction of 0.95, of 8 scores 5 are good"),
        (told_by(rightly, satisfied=-1), COUNTED, "tells a satisfaction of -1"),
        (told_by(rightly, seen=3), COUNTED, "scores 3 retrievals where 24 found something"),
        (told_by(rightly).replace("accuracy_ratio 1.0", "accuracy_ratio 0.5"), COUNTED, "an intent accuracy of 0.5"),
        (None, {**COUNTED, "day_scores": 2, "day_good_scores": 2}, "2 scores came into the database, 8 were given"),
    ],
)
def test_a_service_that_measures_itself_otherwise_than_it_was_fails(
    metrics: str | None, kept: Mapping[str, int], told: str, tmp_path: Path
) -> None:
    judgement = readers(tmp_path, metrics=metrics, kept=kept)
    assert judgement.status is Status.FAIL, judgement.reason
    assert told in judgement.reason


def test_golden_questions_of_which_nothing_is_known_prove_nothing(tmp_path: Path) -> None:
    assert readers(tmp_path, asked=False).status is Status.INCONCLUSIVE
    assert "no log of the target says" in readers(tmp_path, log=False).reason
    assert readers(tmp_path, log=False).status is Status.INCONCLUSIVE
    assert readers(tmp_path, kept=None).status is Status.INCONCLUSIVE
    assert readers(tmp_path, answering=lambda *_: A(status=None, result="error")).status is Status.INCONCLUSIVE
    unread = readers(tmp_path, answering=lambda p, _, i: typed(503) if p.name == "last" and i == "b" else None)
    assert (unread.status, "metrics of an instance" in unread.reason) == (Status.INCONCLUSIVE, True)


def test_every_golden_question_is_about_a_document_that_is_there_and_enough_to_decide() -> None:
    assert {golden.document for golden in GOLDEN} == {None, *DOCUMENTS}
    assert {golden.intent for golden in GOLDEN} == {"greeting", "faq", "knowledge", "escalation", "feedback"}
    assert len({golden.text for golden in GOLDEN}) == len(GOLDEN)
    assert most_bad_that_passes(sum(golden.document is not None for golden in GOLDEN), 0.2) is not None
    assert GOOD / RATED < 0.8  # what is sent as ratings would fail the gate: they are no satisfaction of anybody
    for golden in GOLDEN:
        if golden.document is not None:
            assert golden.text.lower().rstrip("?.") not in DOCUMENTS[golden.document][1].lower()


# -- slow client ---------------------------------------------------------------------------------------------------------

SLOW = check_of("slow client")
LET_GO = replace(typed(408, "slow_body"), took_s=5.1)


def slowly(slow: A | Callable[[Probe], A], beside: A | None = None) -> Answering:
    def answering(probe: Probe, _: int, __: str | None) -> A | None:
        if probe.name.startswith("slow"):
            return slow if isinstance(slow, A) else slow(probe)
        return beside or A()

    return answering


def met(path: Path, answering: Answering | None) -> Judgement:
    return judged(path, SLOW, answering, phase=WIDE)


@pytest.mark.parametrize("slow", [
    LET_GO,
    A(status=None, result="error", error_kind="reset", took_s=5.0),
    A(status=None, result="error", error_kind="eof_before_headers", took_s=5.0),
])  # fmt: skip
def test_a_slow_client_that_is_let_go_in_time_passes_whether_it_is_told_or_not(slow: A, tmp_path: Path) -> None:
    judgement = met(tmp_path, slowly(slow))
    assert judgement.status is Status.PASS, judgement.reason
    assert "8 clients whose bodies did not come were let go within 5." in judgement.reason
    assert "4 whose heads did not within 5." in judgement.reason


@pytest.mark.parametrize(
    ("slow", "beside", "told"),
    [
        (A(status=None, result="timeout", error_kind="first_byte_timeout", took_s=12.0), None, "still waited for after 10 s"),
        (replace(LET_GO, took_s=10.4), None, "waited for longer than 10 s"),
        (A(status=408, body="Slow.", took_s=5.0), None, "not refused with a typed 408"),
        (A(status=200, took_s=5.0), None, "not refused with a typed 408"),
        (typed(500), None, "not refused with a typed 408"),
        (LET_GO, typed(503), "who took a second over the body was not answered"),
        (LET_GO, A(status=None, result="timeout", error_kind="connect_timeout"), "was not answered"),
    ],
)
def test_one_that_is_waited_for_or_costs_others_their_answer_fails(slow: A, beside: A | None, told: str, tmp_path: Path) -> None:
    judgement = met(tmp_path, slowly(slow, beside))
    assert judgement.status is Status.FAIL, judgement.reason
    assert told in judgement.reason
    assert judgement.evidence


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (
            A(status=None, result="timeout", error_kind="first_byte_timeout", took_s=12.0),
            "a head that did not come was still waited",
        ),
        (A(status=400, body="400 Bad Request", took_s=10.4), "a head that did not come was waited for longer than 10 s"),
        (A(status=200, took_s=5.0), "a head that did not come in time was not refused with a 408 or a 400"),
        (typed(503), "a head that did not come in time was not refused"),
    ],
)
def test_a_head_that_is_waited_for_fails_whatever_becomes_of_bodies(head: A, told: str, tmp_path: Path) -> None:
    judgement = met(tmp_path, slowly(lambda probe: head if "head" in probe.name else LET_GO))
    assert (judgement.status, told in judgement.reason) == (Status.FAIL, True), judgement.reason


def test_a_head_that_does_not_come_may_be_answered_in_a_server_s_own_few_words(tmp_path: Path) -> None:
    plain = A(status=400, body="400 Bad Request", took_s=5.0)
    assert met(tmp_path, slowly(lambda probe: plain if "head" in probe.name else LET_GO)).status is Status.PASS
    assert met(tmp_path, slowly(plain)).status is Status.FAIL  # of a body that is more than can be said
    hasty = met(tmp_path, lambda p, n, i: typed(400) if p.name == "unhurried-head" else slowly(LET_GO)(p, n, i))
    assert (hasty.status, "who took a second over the head was not answered" in hasty.reason) == (Status.FAIL, True)


def test_a_service_that_is_not_there_has_let_nobody_go(tmp_path: Path) -> None:
    gone = A(status=None, result="error", error_kind="connect_refused")
    assert met(tmp_path, slowly(gone, gone)).status is Status.INCONCLUSIVE
    assert met(tmp_path, None).status is Status.INCONCLUSIVE
    one = met(tmp_path, slowly(lambda probe: gone if probe.name == "slow-3" else LET_GO))
    assert one.status is Status.INCONCLUSIVE


def test_a_slow_body_would_take_twice_the_bound_and_one_below_two_seconds_is_refused() -> None:
    by_name = {probe.name: probe for probe in PLANNERS["slow client"].plan(SLOW, WIDE).probes}
    slow = by_name["slow-0"]
    assert len(slow.body or "") * slow.body_every_ns > 1.9 * 10e9
    assert slow.timeout_ns == 12_000_000_000
    assert (by_name["slow-head-0"].head_takes_ns, by_name["slow-head-0"].timeout_ns) == (20_000_000_000, 12_000_000_000)
    with pytest.raises(ValueError, match="less than 2s is not slow"):
        PLANNERS["slow client"].plan(check_of("slow client", within="1s"), WIDE)


@pytest.mark.parametrize("name", ["workflows", "quality", "slow client"])
def test_a_phase_that_is_too_short_is_refused_before_the_run(name: str) -> None:
    with pytest.raises(ValueError, match="lasts"):
        PLANNERS[name].plan(check_of(name), replace(WIDE, end_ns=WIDE.start_ns + 5_000_000_000))
