"""The limit of all users: who was surely let through of what was left, who may have been, and what the refused are told.

The window is filled from 3.0 to 3.1 s, with 9.9 s of it left: it ends at 12.9 s at the earliest and at 13.0 s at the latest.
Its load is one request in a hundred milliseconds, its rush ninety at 5.0 s.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from probe_runs import STEADY, A, Answering, check_of, judged
from run_builder import S, failed, refused, sample
from test_checks_answers import typed

from harness.checks import PLANNERS
from harness.model.fault import Scalar
from harness.model.judgement import Judgement, Status
from harness.model.outcome import Refusal
from harness.model.plan import PlannedCheck
from harness.model.probe import Probe
from harness.model.sample import Sample

CHECK = check_of("global limit", window_s=10)
LONG = replace(STEADY, end_ns=STEADY.start_ns + 20 * S)
LEFT = 60
FILLED: Mapping[str, int | None] = {"left": LEFT, "counted": 1, "window_ms": 9_900}
TOOK_S = 0.1
AGAIN_S = 17.0


def headers(seconds: int, **more: str) -> dict[str, str]:
    told = {"limit": "1000000", "remaining": "0", "reset": str(seconds)}
    return {"retry-after": str(seconds)} | {f"x-ratelimit-{what}-requests": value for what, value in (told | more).items()}


def saying(told: Mapping[str, str], status: int = 429) -> A:
    answer = typed(status, "rate_limit_exceeded")
    return replace(answer, headers={**answer.headers, **told}, took_s=0.02)


def truly(probe: Probe, _: int = 0, __: str | None = None) -> A:
    """Return what a healthy service says: how many whole seconds are left, rounded up, and an answer afterwards."""
    if probe.name.startswith("again"):
        return A()
    return saying(headers(int(13.0 - probe.at_ns / 1e9) + 1))


def but(name: str, answer: A | None, instance: str | None = None) -> Answering:
    return lambda probe, n, i: answer if probe.name == name and instance in (None, i) else truly(probe, n, i)


def load(through: int = LEFT, *, asked: int = 120, **more: object) -> list[Sample]:
    """Return requests of which so many are let through between the filling and the end, and answered within 20 ms.

    One is under way when the window is filled, and one as it ends; both are answered.
    """
    rows = []
    for seq in range(asked):
        at_s = 3.2 + seq * 0.1 if seq < 20 else 5.0 if seq < 110 else 6.0 + (seq - 110) * 0.3
        row = sample(seq, at_s, 0.02, user_class="check:global-limit" if 20 <= seq < 110 else "knowledge", **more)
        rows.append(row if seq < through else refused(row, Refusal.RATE, status=429))
    return [*rows, sample(500, 3.05, 0.02), sample(501, 12.95, 0.02)]


def seen(
    path: Path,
    samples: list[Sample] | None = None,
    answering: Answering | None = truly,
    told: Mapping[str, int | None] | None = FILLED,
    check: PlannedCheck = CHECK,
) -> Judgement:
    return judged(
        path,
        check,
        answering,
        phase=LONG,
        samples=load() if samples is None else samples,
        actions={"fill": told},
        lasted={"fill": TOOK_S},
    )


def test_a_limit_that_lets_through_what_was_left_and_tells_the_rest_when_to_come_back_passes(tmp_path: Path) -> None:
    judgement = seen(tmp_path)
    assert judgement.status is Status.PASS, judgement.reason
    assert judgement.test is not None
    assert (judgement.test.value, judgement.test.limit, judgement.test.n) == (60.0, 60.0, 120)
    # One was under way as the window was filled; the one at its end came after the first refusal.
    assert "60 requests were let through for sure and 61 at most" in judgement.reason
    assert "instances a, b say truly" in judgement.reason


def test_one_more_than_was_left_fails_and_so_do_instances_that_count_apart(tmp_path: Path) -> None:
    one = seen(tmp_path, load(61))
    assert (one.status, "61 requests were let through: the limit of 1000000 was passed" in one.reason) == (Status.FAIL, True)
    apart = seen(tmp_path, load(120))
    assert (apart.status, bool(apart.evidence)) == (Status.FAIL, True)


def test_a_probe_that_is_let_through_is_one_of_all_requests(tmp_path: Path) -> None:
    leak = seen(tmp_path, answering=but("refused-2", A(), "b"))
    assert (leak.status, "61 requests were let through" in leak.reason) == (Status.FAIL, True), leak.reason


def test_what_was_under_way_at_the_edges_neither_breaks_the_limit_nor_keeps_it(tmp_path: Path) -> None:
    edges = [sample(600 + n, 3.05 + n * 0.005, 0.04) for n in range(9)] + [sample(700 + n, 12.89, 0.05) for n in range(9)]
    assert seen(tmp_path, load() + edges).status is Status.PASS
    fewer = seen(tmp_path, load(52) + edges[:9])
    assert (fewer.status, "52 requests were let through for sure and 62 at most" in fewer.reason) == (Status.PASS, True)


def test_an_answer_that_had_begun_was_counted_before_that_however_long_it_takes(tmp_path: Path) -> None:
    begun = [sample(600 + n, 2.5, 2.0, first_byte_ns=round(2.9 * S)) for n in range(9)]
    before = seen(tmp_path, load(52) + begun)
    assert (before.status, "7 of the limit were never given" in before.reason) == (Status.FAIL, True), before.reason
    late = [sample(700 + n, 12.0, 2.0, first_byte_ns=round(12.1 * S)) for n in range(9)]
    assert "61 requests were let through" in seen(tmp_path, load(52) + late).reason


def test_what_came_to_nothing_after_it_was_counted_may_have_been_counted(tmp_path: Path) -> None:
    rows = load(50)
    lost = [failed(sample(800 + n, 4.0, 0.02)) for n in range(9)]
    assert seen(tmp_path, rows + lost).status is Status.PASS
    assert seen(tmp_path, rows + lost[:8]).status is Status.FAIL


def test_a_limit_that_gives_less_than_was_left_fails(tmp_path: Path) -> None:
    judgement = seen(tmp_path, load(30))
    assert (judgement.status, "29 of the limit were never given" in judgement.reason) == (Status.FAIL, True), judgement.reason


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (saying({}), "tells of a limit of none"),
        (saying(headers(9, limit="10")), "tells of a limit of 10 with 0 left, not of all users' 1000000"),
        (saying(headers(9, remaining="7")), "with 7 left"),
        (saying(headers(5, reset="6")), "says neither when to come back nor when the window ends: 5, 6"),
        (saying({**headers(5), "retry-after": "soon"}), "says neither when"),
        (saying(headers(4)), "who comes back after the 4 s that a refusal says is in the same window still"),
        (saying(headers(60)), "says 60 s, and the window is over long before"),
        (A(status=429, headers=headers(5)), "is no typed 429"),
    ],
)
def test_a_refusal_that_does_not_say_the_truth_fails(answer: A, told: str, tmp_path: Path) -> None:
    judgement = seen(tmp_path, answering=but("refused-0", answer, "b"))
    assert (judgement.status, told in judgement.reason) == (Status.FAIL, True), judgement.reason
    assert judgement.evidence[0].ref.endswith("refused-0 0")


def test_a_window_that_does_not_end_fails(tmp_path: Path) -> None:
    still = seen(tmp_path, answering=but("again-1", saying(headers(3))))
    assert (still.status, "is still refused" in still.reason) == (Status.FAIL, True), still.reason
    never = seen(tmp_path, told={**FILLED, "window_ms": -1})
    assert (never.status, "never ends" in never.reason) == (Status.FAIL, True)


@pytest.mark.parametrize("window_ms", [8_500, 10_001, 60_000])
def test_a_window_of_another_length_than_is_promised_fails(window_ms: int, tmp_path: Path) -> None:
    judgement = seen(tmp_path, told={**FILLED, "window_ms": window_ms})
    assert (judgement.status, "one of 10 s is promised" in judgement.reason) == (Status.FAIL, True), judgement.reason


def test_requests_that_nobody_counts_where_all_look_fail(tmp_path: Path) -> None:
    uncounted = {**FILLED, "window_ms": None}
    judgement = seen(tmp_path, [sample(1, 3.01, 0.02)], told=uncounted)
    assert (judgement.status, "share no count" in judgement.reason) == (Status.FAIL, True)
    assert seen(tmp_path, [sample(1, 3.2, 0.02)], told=uncounted).status is Status.INCONCLUSIVE


@pytest.mark.parametrize(
    ("answering", "told"),
    [
        (but("refused-1", A(status=503)), "whether the limit was reached cannot be told"),
        (but("refused-1", A(status=None)), "whether the limit was reached cannot be told"),
        (lambda p, n, i: truly(p, n, i) if i == "a" else None, "1 instances were seen to refuse"),
        (lambda p, n, i: truly(p, n, i) if p.name.startswith("again") else None, "0 instances were seen to refuse"),
        (lambda p, n, i: None if p.name.startswith("again") and i == "b" else truly(p, n, i), "at instance b after"),
        (lambda p, n, i: A(status=502) if p.name.startswith("again") else truly(p, n, i), "at instance a, b after"),
    ],
)
def test_what_nobody_saw_is_inconclusive(answering: Answering, told: str, tmp_path: Path) -> None:
    judgement = seen(tmp_path, answering=answering)
    assert (judgement.status, told in judgement.reason) == (Status.INCONCLUSIVE, True), judgement.reason


@pytest.mark.parametrize("told", [None, {}])
def test_a_window_that_was_not_filled_is_inconclusive(told: Mapping[str, int | None] | None, tmp_path: Path) -> None:
    assert seen(tmp_path, told=told).status is Status.INCONCLUSIVE
    assert seen(tmp_path, answering=None).status is Status.INCONCLUSIVE


def test_one_who_is_asked_again_while_the_window_may_go_on_shows_nothing(tmp_path: Path) -> None:
    silent = saying(headers(1))
    late = judged(
        tmp_path,
        CHECK,
        lambda probe, *_: silent if probe.name.startswith("again") else A(status=503),
        phase=LONG,
        samples=load(),
        actions={"fill": {**FILLED, "window_ms": 9_000}},
        began={"fill": 7.0},
        lasted={"fill": 2.0},
    )
    assert late.status is Status.INCONCLUSIVE, late.reason


def test_the_rush_alone_asks_for_more_than_is_left_and_each_user_for_no_more_than_their_own_limit() -> None:
    steps = PLANNERS["global limit"].plan(CHECK, LONG)
    assert sum(burst.count for burst in steps.bursts) >= 1.5 * LEFT
    assert {burst.count for burst in steps.bursts} == {10}
    assert len({burst.principal for burst in steps.bursts}) == len(steps.bursts)
    assert {(a.does, a.arguments["limit"], a.arguments["left"]) for a in steps.actions} == {
        ("fill-global-window", "1000000", "60")
    }
    assert {"instances", "actions.fill-global-window"} <= steps.all_needs


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"left": 200, "limit": 200}, "must be below `limit`"),
        ({"left": 5}, "allowed: 20"),
        ({"window_s": 60}, "lasts 20 s"),
    ],
)
def test_a_setting_that_could_show_nothing_is_refused(settings: dict[str, Scalar], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        PLANNERS["global limit"].plan(check_of("global limit", **settings), LONG)
