import shlex
from dataclasses import replace

import pytest
from report_fixtures import failing_results, healthy_results, make_plan, make_verdict, ratio

from harness.model.judgement import Judgement, Shown, Status, Test
from harness.model.objective import Kind, Severity
from harness.report import LOOKS, asked, found, how_to_repeat, sentence


def test_every_status_has_a_word_and_a_symbol_of_its_own() -> None:
    assert set(LOOKS) == set(Status)
    assert len({look.word for look in LOOKS.values()}) == len({look.symbol for look in LOOKS.values()}) == len(Status)


def test_a_ratio_tells_figure_count_bounds_limit_and_what_the_sample_is_worth() -> None:
    lines = found(healthy_results()[0])
    assert lines == (
        "p95 1.21 s (interval 1.1 s to 1.4 s)",
        "1 of 590 (bad share 0.17 %)",
        "between 0.01 % and 0.8 % at 95 % confidence each; must be <= 5 %",
        "worth 484 independent requests",
    )


def test_an_inconclusive_ratio_says_how_many_more_requests_it_needs() -> None:
    assert "about 120 more requests needed to decide" in found(failing_results()[2])


def test_a_share_that_must_be_high_counts_the_hits_and_not_the_misses() -> None:
    result = ratio("fallback", "outage", Status.PASS, 10, 600, 0.972, 0.991, 0.95, ">=", "enough")
    test = replace(result.test, bad=10, value=590 / 600)  # type: ignore[type-var]
    assert found(replace(result, test=test))[0] == "590 of 600 (fallback share 98.33 %)"


def test_a_percentile_beyond_every_answer_is_not_called_missing() -> None:
    assert found(failing_results()[1])[0] == "p95 above every answer"


def test_no_data_is_said_and_not_shown_as_zero() -> None:
    test = Test(quantity="bad_share", op="<=", limit=0.05, value=None, n=0, bad=0)
    result = replace(healthy_results()[0], test=test, shown=Shown(quantity="p95", unit="s", value=None))
    assert found(result) == ("p95 no data", "no data; must be <= 5 %")


def _recovery(test: Test, shown: float | None) -> Judgement:
    return Judgement(id="r", kind=Kind.DURATION, severity=Severity.GATE, status=Status.FAIL, reason="late", test=test,
                     shown=Shown(quantity="recovery", unit="s", value=shown))  # fmt: skip


def test_a_recovery_that_was_not_seen_is_longer_than_what_was_looked_at() -> None:
    lines = found(_recovery(Test(quantity="recovered_within_s", op="<=", limit=10.0, value=None, lower=28.0), None))
    assert "recovered within more than 28 s; must be <= 10 s" in lines


def test_a_duration_in_nanoseconds_and_one_in_seconds_read_alike() -> None:
    in_s = found(_recovery(Test(quantity="recovered_s", op="<=", limit=10.0, value=2.31), 2.31))
    in_ns = found(_recovery(Test(quantity="recovered_ns", op="<=", limit=10e9, value=2.31e9), 2.31e9))
    assert in_s == in_ns == ("recovered 2.31 s; must be <= 10 s",)


@pytest.mark.parametrize(
    ("quantity", "value", "limit", "said"),
    [
        ("spend_usd", 0.41, 1.03, "spend $0.41; must be <= $1.03"),
        ("tokens", 120_000, 90_000, "tokens 120,000; must be <= 90,000"),
        ("burn_rate", 0.0, 14.4, "burn rate 0; must be <= 14.4"),
    ],
)
def test_only_money_is_shown_as_money(quantity: str, value: float, limit: float, said: str) -> None:
    test = Test(quantity=quantity, op="<=", limit=limit, value=value)
    judged = Judgement(id="b", kind=Kind.BUDGET, severity=Severity.GATE, status=Status.PASS, reason="as asked", test=test)
    assert found(judged) == (said,)


def test_what_was_asked_is_shown_as_written_and_else_built_from_the_test() -> None:
    result = healthy_results()[0]
    assert asked(result) == "p95 < 5s"
    assert asked(replace(result, written="")) == "bad share <= 5 %"


def test_the_reason_is_a_sentence_without_the_word_that_stands_beside_it() -> None:
    assert sentence(make_verdict(Status.FAIL, reason="fail: 93 % were slow")) == "93 % were slow"
    assert sentence(make_verdict(reason="all went well")) == "All went well"


def test_the_command_repeats_seed_target_and_overrides_and_quotes_what_a_shell_would_run() -> None:
    plan = make_plan(overrides=("phases.outage.for=10s", "title=$(reboot)"), seed=7)
    assert shlex.split(how_to_repeat(plan)) == [
        "harness", "run", "scenarios/provider-outage.yaml", "--target", "embedded", "--seed", "7", "--set", "phases.outage.for=10s",
        "--set", "title=$(reboot)",
    ]  # fmt: skip
    assert "'title=$(reboot)'" in how_to_repeat(plan)
