"""The budget cap check: what it plans, and how it judges what the provider metered."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from run_builder import PHASES, RunBuilder, S, call_of, failed, healthy_samples, refused, sample

from harness.checks import CHECKS, PLANNERS
from harness.checks.budget_cap import PLANNER
from harness.judge import judge
from harness.model.fault import Scalar
from harness.model.judgement import Judgement, Status
from harness.model.outcome import Refusal, Source
from harness.model.plan import PlannedCheck
from harness.model.sample import Call, Sample

STEADY = PHASES[1]
RESERVED_USD = 0.001065  # 155 tokens of prompt at $3 a million, 40 of answer at $15
numbers = itertools.count()


def check(settings: Mapping[str, Scalar] | None = None) -> PlannedCheck:
    return PlannedCheck(id="cap", name="budget cap", phase="steady", settings=settings or {}, covers=("C3",))


def judged(
    path: Path,
    through: int,
    *,
    cost_usd: float = 0.00103,
    otherwise: Sample | None = None,
    calls: list[Call] | None = None,
    **more: object,
) -> Judgement:
    """Return the judgement of a burst of 5 users x 8 requests, `through` of them a user let through."""
    steps = PLANNER.plan(check(), STEADY)
    rows, burst_calls = healthy_samples(), []
    rows_calls = [call_of(row) for row in rows]
    for burst in steps.bursts:
        for number in range(burst.count):
            row = sample(len(rows), burst.at_ns / S, user_class="check:cap", principal=burst.principal)
            if number < through:
                burst_calls.append(call_of(row, cost_usd=cost_usd))
            else:
                row = (
                    refused(row, Refusal.BUDGET)
                    if otherwise is None
                    else replace(otherwise, seq=row.seq, principal=row.principal)
                )
            rows.append(row)
    run = RunBuilder(
        samples=rows,
        calls=rows_calls + (burst_calls if calls is None else calls),
        checks=(check(),),
        bursts=steps.bursts,
        capped=steps.capped_principals,
        **more,  # type: ignore[arg-type]
    ).build(path / f"run-{next(numbers)}")
    (result,) = judge(run).results
    return result


def test_the_catalogue_names_the_check() -> None:
    assert "budget cap" in CHECKS
    assert PLANNERS["budget cap"] is PLANNER


def test_the_defaults_send_forty_calls_of_which_the_budgets_buy_ten() -> None:
    steps = PLANNER.plan(check(), STEADY)
    assert sum(burst.count for burst in steps.bursts) == 40
    assert {burst.at_ns for burst in steps.bursts} == {3 * S}
    assert all(burst.count <= 10 for burst in steps.bursts)  # what an ordinary user may send in a minute
    assert set(steps.capped_principals) == {burst.principal for burst in steps.bursts}
    bought = [int(cap_usd / RESERVED_USD) for cap_usd in steps.capped_principals.values()]
    assert sum(bought) == 10


def test_with_again_the_same_users_ask_once_more_from_the_same_budget() -> None:
    once = PLANNER.plan(check({"burst": 20}), STEADY)
    twice = PLANNER.plan(check({"burst": 20, "again": "4s"}), STEADY)
    assert twice.capped_principals == once.capped_principals
    assert [burst.at_ns - STEADY.start_ns for burst in twice.bursts] == [S] * 5 + [5 * S] * 5
    with pytest.raises(ValueError, match="`again` is 9s after `at`"):
        PLANNER.plan(check({"again": "9s"}), STEADY)


def test_a_budget_that_is_given_out_again_fails_whichever_burst_spent_it(tmp_path: Path) -> None:
    twice = check({"burst": 20, "again": "4s"})
    steps = PLANNER.plan(twice, STEADY)
    for let_through_again, status in ((0, Status.PASS), (2, Status.FAIL)):
        rows, calls = healthy_samples(), [call_of(row) for row in healthy_samples()]
        for number, burst in enumerate(steps.bursts):
            through = 2 if number < 5 else let_through_again
            for each in range(burst.count):
                row = sample(len(rows), burst.at_ns / S, user_class="check:cap", principal=burst.principal)
                calls += [call_of(row, cost_usd=0.00103)] if each < through else []
                rows.append(row if each < through else refused(row, Refusal.BUDGET))
        run = RunBuilder(samples=rows, calls=calls, checks=(twice,), bursts=steps.bursts, capped=steps.capped_principals).build(
            tmp_path / f"again-{let_through_again}"
        )
        (result,) = judge(run).results
        assert result.status is status, result.reason


def test_one_user_carries_the_name_of_the_check() -> None:
    steps = PLANNER.plan(check({"users": 1, "burst": 40, "calls": 10, "at": "0s"}), STEADY)
    assert steps.capped_principals == {"capped-cap": pytest.approx(10.5 * RESERVED_USD)}
    assert steps.bursts[0].at_ns == STEADY.start_ns


def test_the_prompt_is_new_each_time_and_asks_for_no_more_than_its_reservation() -> None:
    (burst, *_) = PLANNER.plan(check(), STEADY).bursts
    (prompt,) = burst.user_class.prompts
    assert "{n}" in prompt
    assert burst.user_class.max_tokens == 40
    assert len(prompt.encode()) / 4 * 3 >= 40  # the service's own limit of three times the message stays above it


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"burst": "many"}, "`burst` is 'many'"),
        ({"burst": True}, "`burst` is True"),
        ({"burst": 1}, "allowed: 2 to 10000"),
        ({"burst": 41}, "must divide evenly"),
        ({"calls": 40}, "at least twice"),
        ({"at": "soon"}, "not a duration"),
        ({"at": "10s"}, "lasts 10 s only"),
        ({"model": "gpt"}, "allowed: sim-large"),
    ],
)
def test_settings_that_make_no_sense_are_refused_in_words(settings: dict[str, Scalar], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        PLANNER.plan(check(settings), STEADY)


def test_budgets_that_hold_pass(tmp_path: Path) -> None:
    result = judged(tmp_path, 2)
    assert result.status is Status.PASS
    assert result.covers == ("C3",)
    assert "10 of 40 concurrent calls were let through and 30 refused for their budget" in result.reason


def test_a_budget_that_is_counted_too_late_fails_by_the_providers_meter(tmp_path: Path) -> None:
    result = judged(tmp_path, 8)
    assert result.status is Status.FAIL
    assert "spent $0.00824 with a cap of $0.00266, 3.09 times as much" in result.reason
    assert "5 of 5 users overspent, 40 of 40 concurrent calls reached the provider" in result.reason
    assert len(result.evidence) == 5


def test_one_user_who_overspends_is_enough(tmp_path: Path) -> None:
    steps = PLANNER.plan(check(), STEADY)
    extra = [sample(645 + n, 3.0, user_class="check:cap", principal=steps.bursts[0].principal) for n in range(3)]
    assert judged(tmp_path, 2, calls=[call_of(row, cost_usd=0.00103) for row in extra]).status is Status.FAIL


def test_a_service_that_refuses_nearly_everything_fails(tmp_path: Path) -> None:
    result = judged(tmp_path, 0, calls=[call_of(sample(641, 3.0), cost_usd=0.00103)])
    assert result.status is Status.FAIL
    assert "refused while money was left" in result.reason


@pytest.mark.parametrize(
    ("otherwise", "status"),
    [
        (refused(sample(0, 3.0, user_class="check:cap"), Refusal.RATE, status=429), Status.INCONCLUSIVE),
        (failed(sample(0, 3.0, user_class="check:cap")), Status.INCONCLUSIVE),
        (sample(0, 3.0, user_class="check:cap", source=Source.CACHE), Status.INCONCLUSIVE),
    ],
)
def test_a_burst_that_met_no_budget_decides_nothing(tmp_path: Path, otherwise: Sample, status: Status) -> None:
    assert judged(tmp_path, 2, otherwise=otherwise).status is status


@pytest.mark.parametrize(
    ("otherwise", "status", "words"),
    [
        (Refusal.RATE, Status.FAIL, "15 of the burst's 40 requests were refused, but not as budget: 15 rate"),
        (Refusal.AUTH, Status.FAIL, "15 of the burst's 40 requests were refused, but not as budget: 15 auth"),
        (Refusal.UNAVAILABLE, Status.PASS, "15 found a guard unavailable and were refused for that"),
    ],
)
def test_a_refusal_by_another_name_fails_but_a_guard_that_closed_says_nothing_of_the_cap(
    tmp_path: Path, otherwise: Refusal, status: Status, words: str
) -> None:
    result = _judged_burst(tmp_path, lambda number: None if number < 2 else Refusal.BUDGET if number < 5 else otherwise)
    assert result.status is status
    assert words in result.reason


@pytest.mark.parametrize(("unavailable", "status"), [(0, Status.FAIL), (2, Status.INCONCLUSIVE), (6, Status.INCONCLUSIVE)])
def test_money_that_may_be_reserved_for_who_found_a_guard_unavailable_may_be_what_was_missing(
    tmp_path: Path, unavailable: int, status: Status
) -> None:
    """No more than one is let through, which is less than half; whoever got no further than a guard may hold the rest."""

    def said(number: int) -> Refusal | None:
        return None if number < 1 else Refusal.UNAVAILABLE if number < 1 + unavailable else Refusal.BUDGET

    result = _judged_burst(tmp_path, said, cap_usd=0.0051)
    assert result.status is status
    if unavailable:
        assert "cannot be told" in result.reason


def _judged_burst(path: Path, said: Callable[[int], Refusal | None], *, cap_usd: float | None = None) -> Judgement:
    """Return the judgement of a burst, each user's nth request refused as `said` says, or let through."""
    steps = PLANNER.plan(check(), STEADY)
    rows = healthy_samples()
    calls = [call_of(row) for row in rows]
    for burst in steps.bursts:
        for number in range(burst.count):
            row = sample(len(rows), 3.0, user_class="check:cap", principal=burst.principal)
            if (refusal := said(number)) is None:
                calls.append(call_of(row, cost_usd=0.00103))
            else:
                row = refused(row, refusal)
            rows.append(row)
    capped = steps.capped_principals if cap_usd is None else dict.fromkeys(steps.capped_principals, cap_usd)
    builder = RunBuilder(samples=rows, calls=calls, checks=(check(),), bursts=steps.bursts, capped=capped)
    (result,) = judge(builder.build(path / "run")).results
    return result


def test_no_call_at_all_decides_nothing(tmp_path: Path) -> None:
    assert judged(tmp_path, 0, calls=[]).status is Status.INCONCLUSIVE


def test_answers_whose_calls_cannot_be_found_decide_nothing(tmp_path: Path) -> None:
    lost = [replace(call_of(sample(640 + n, 3.0)), request_id=None) for n in range(10)]
    found = [call_of(sample(640, 3.0), cost_usd=0.00103)]
    assert judged(tmp_path, 2, calls=lost + found).status is Status.INCONCLUSIVE


def test_a_burst_that_was_never_sent_decides_nothing(tmp_path: Path) -> None:
    steps = PLANNER.plan(check(), STEADY)
    run = RunBuilder(checks=(check(),), bursts=steps.bursts, capped=steps.capped_principals).build(tmp_path / "run")
    (result,) = judge(run).results
    assert result.status is Status.INCONCLUSIVE


def test_without_the_providers_records_nothing_is_decided(tmp_path: Path) -> None:
    result = judged(tmp_path, 2, without_truth=True, target_kind="external")
    assert result.status is Status.INCONCLUSIVE
    assert "provider's records are missing" in result.reason


def test_a_plan_without_the_burst_decides_nothing(tmp_path: Path) -> None:
    (result,) = judge(RunBuilder(checks=(check(),)).build(tmp_path / "run")).results
    assert result.status is Status.INCONCLUSIVE


def test_a_check_that_this_version_does_not_know_decides_nothing(tmp_path: Path) -> None:
    unknown = replace(check(), name="perpetual motion")
    (result,) = judge(RunBuilder(checks=(unknown,)).build(tmp_path / "run")).results
    assert result.status is Status.INCONCLUSIVE


def test_planning_loads_no_judge_and_no_numbers() -> None:
    import subprocess
    import sys

    code = "import sys, harness.checks; print([m for m in ('numpy', 'pyarrow', 'scipy', 'harness.measure') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
