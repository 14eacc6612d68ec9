"""Phases, seconds, requests and recovery in numbers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from run_builder import (
    FAULT,
    FAULT_STEPS,
    RunBuilder,
    S,
    call_of,
    error_rate,
    failed,
    fallback,
    healthy_samples,
    latency,
    refused,
    sample,
    unsent,
)

from harness.measure import measure
from harness.measure.quantiles import quantiles_of
from harness.model.measurement import PhaseSummary, Summary
from harness.model.outcome import Refusal, Result, Source
from harness.model.plan import Burst, LocustfileReference, UserClass

STEADY = (latency(), fallback("<=", 0.03, "steady"))


def phase(summary: Summary, name: str) -> PhaseSummary:
    return next(part for part in summary.phases if part.name == name)


def table(path: Path, name: str) -> pa.Table:
    return pq.read_table(path / "run" / "measurements" / f"{name}.parquet")


def test_requests_belong_to_the_phase_of_their_intended_start(tmp_path: Path) -> None:
    summary = measure(RunBuilder(objectives=STEADY).build(tmp_path / "run"))
    assert [part.intended for part in summary.phases] == [40, 200, 200, 200]


def test_requests_that_straddle_a_fault_are_left_out_and_counted(tmp_path: Path) -> None:
    summary = measure(RunBuilder(objectives=STEADY).build(tmp_path / "run"))
    assert (phase(summary, "steady").straddling, phase(summary, "steady").eligible) == (10, 190)  # the last half second
    assert (phase(summary, "outage").straddling, phase(summary, "outage").eligible) == (0, 200)
    # 22.0, 22.05: before the proof at 22.1 (whose own moment still counts as exposed by the rounding of a start 1 ms on)
    assert phase(summary, "recovery").straddling == 2


def test_a_recovery_phase_is_judged_from_the_recovered_moment(tmp_path: Path) -> None:
    summary = measure(RunBuilder(objectives=STEADY).build(tmp_path / "run"))
    (recovery,) = summary.recoveries
    assert recovery.recovered_s == pytest.approx(1.0)  # the second model answers until 23.0 s; windows begin at 22.1 s
    part = phase(summary, "recovery")
    assert (part.recovering, part.eligible) == (20, 178)
    assert part.intended == part.straddling + part.recovering + part.cancelled + part.eligible


def test_what_followed_the_fault_is_timed_from_the_moments_of_the_journal(tmp_path: Path) -> None:
    (recovery,) = measure(RunBuilder(objectives=STEADY).build(tmp_path / "run")).recoveries
    assert recovery.to_fallback_s == pytest.approx(0.4)  # intended 12.0, ended 12.5, confirmed 12.1
    assert recovery.to_detect_s == pytest.approx(0.4)
    assert recovery.to_primary_s == pytest.approx(1.4)  # intended 23.0, ended 23.5, proved clear 22.1
    assert recovery.window_s == pytest.approx(9.9)


def test_a_service_that_never_recovers_is_told_as_never(tmp_path: Path) -> None:
    rows = [failed(row) if row.intended_ns >= 12 * S else row for row in healthy_samples()]
    (recovery,) = measure(RunBuilder(objectives=STEADY, samples=rows).build(tmp_path / "run")).recoveries
    assert recovery.recovered_s is None
    assert recovery.to_primary_s is None


def test_a_recovery_that_does_not_last_three_windows_is_none(tmp_path: Path) -> None:
    def relapse(at_s: float) -> bool:
        return at_s >= 22 and int(at_s) % 3 == 0  # a bad second in every three

    rows = [failed(row) if relapse(row.intended_ns / S) else row for row in healthy_samples()]
    (recovery,) = measure(RunBuilder(objectives=STEADY, samples=rows).build(tmp_path / "run")).recoveries
    assert recovery.recovered_s is None


def test_a_window_waits_for_twenty_requests(tmp_path: Path) -> None:
    rows = [row for row in healthy_samples() if row.seq % 10 == 0]  # two a second: a window takes ten seconds
    (recovery,) = measure(RunBuilder(objectives=STEADY, samples=rows).build(tmp_path / "run")).recoveries
    assert recovery.recovered_s is None


def test_a_fallback_share_bound_in_steady_state_is_part_of_being_recovered(tmp_path: Path) -> None:
    rows = [replace(row, source=Source.SECONDARY) if 22 * S <= row.intended_ns < 27 * S else row for row in healthy_samples()]
    run = RunBuilder(objectives=(latency(), fallback("<=", 0.03, "steady")), samples=rows).build(tmp_path / "a")
    assert (measure(run).recoveries[0].recovered_s or 0.0) > 4.5
    without = RunBuilder(objectives=(latency(),), samples=rows).build(tmp_path / "b")
    assert measure(without).recoveries[0].recovered_s == 0.0


def test_bursts_are_in_no_phase(tmp_path: Path) -> None:
    burst_class = UserClass(name="check:cap", weight_ratio=0.0, prompts=("x",))
    burst = Burst(check_id="cap", at_ns=5 * S, count=30, user_class=burst_class, principal="capped")
    rows = healthy_samples()
    rows += [refused(sample(640 + n, 5.0, user_class="check:cap", principal="capped"), Refusal.BUDGET) for n in range(30)]
    summary = measure(RunBuilder(objectives=STEADY, samples=rows, bursts=(burst,)).build(tmp_path / "run"))
    assert (phase(summary, "steady").intended, phase(summary, "steady").bad) == (200, 0)
    assert sum(table(tmp_path, "timeline")["intended"].to_pylist()) == 640
    assert table(tmp_path, "requests").num_rows == 640


def test_money_of_calls_that_cannot_be_joined_counts_and_money_of_bursts_does_not(tmp_path: Path) -> None:
    mixed, burst = sample(0, 3.0), sample(1, 3.0, user_class="check:cap")
    calls = [
        call_of(mixed, cost_usd=1.0),
        call_of(burst, cost_usd=10.0),
        call_of(mixed, cost_usd=100.0, request_id=None, call_id="lost"),
    ]
    summary = measure(RunBuilder(samples=[mixed, burst], calls=calls).build(tmp_path / "run"))
    assert summary.spend_usd == 101.0
    assert summary.spend_source == "provider"
    assert summary.unmatched_calls == 1


def test_without_the_providers_records_the_targets_claim_is_named_as_such(tmp_path: Path) -> None:
    summary = measure(RunBuilder(samples=[sample(0, 3.0)], without_truth=True, target_kind="external").build(tmp_path / "run"))
    assert (summary.spend_usd, summary.spend_source) == (0.001, "target")


def test_failures_count_as_endless_in_a_percentile(tmp_path: Path) -> None:
    rows = [failed(row) if row.seq % 10 == 0 else row for row in healthy_samples()]
    steady = phase(measure(RunBuilder(objectives=(latency(),), samples=rows).build(tmp_path / "run")), "steady")
    by_permille = {quantile.permille: quantile for quantile in steady.response}
    assert by_permille[500].value_s == 0.5
    assert by_permille[950].value_s is None


def test_a_fast_expected_refusal_does_not_make_latency_look_better(tmp_path: Path) -> None:
    rows = [sample(n, 3.0 + n / 100, 2.0) for n in range(100)]
    rows += [refused(sample(100 + n, 3.5, 0.001), Refusal.GUARD, expected=True) for n in range(400)]
    steady = phase(measure(RunBuilder(objectives=(latency(),), samples=rows, calls=[]).build(tmp_path / "run")), "steady")
    assert steady.response[0].value_s == pytest.approx(2.0)
    assert steady.bad == 0


def test_cached_and_rule_answers_are_in_neither_part_of_the_fallback_share(tmp_path: Path) -> None:
    sources = (
        [Source.PRIMARY] * 6
        + [Source.CACHE] * 5
        + [Source.RULE] * 5
        + [Source.SECONDARY] * 2
        + [Source.CANNED, Source.STALE_CACHE]
    )
    rows = [sample(n, 3.0 + n / 100, source=source) for n, source in enumerate(sources)]
    steady = phase(measure(RunBuilder(samples=rows).build(tmp_path / "run")), "steady")
    assert (steady.fallback, steady.fallback_of) == (4, 10)


def test_the_providers_record_goes_before_the_claim_about_who_answered(tmp_path: Path) -> None:
    liar, honest = sample(0, 3.0, source=Source.PRIMARY), sample(1, 3.1, source=Source.PRIMARY)
    calls = [call_of(liar, endpoint="secondary"), call_of(honest)]
    steady = phase(measure(RunBuilder(samples=[liar, honest], calls=calls).build(tmp_path / "run")), "steady")
    assert (steady.fallback, steady.fallback_of) == (1, 2)


def test_goodput_counts_answers_within_their_bounds(tmp_path: Path) -> None:
    rows = [sample(n, 2.0 + n / 10, 6.0 if n < 30 else 0.2) for n in range(100)]
    steady = phase(measure(RunBuilder(objectives=(latency(),), samples=rows).build(tmp_path / "run")), "steady")
    assert steady.goodput_rps == pytest.approx(7.0)


def test_the_timeline_has_a_row_for_every_second_and_no_percentile_without_an_answer(tmp_path: Path) -> None:
    rows = [failed(row) if 15 * S <= row.intended_ns < 16 * S else row for row in healthy_samples()]
    measure(RunBuilder(objectives=STEADY, samples=rows).build(tmp_path / "run"))
    timeline = table(tmp_path, "timeline").to_pylist()
    assert [row["t_s"] for row in timeline] == [float(second) for second in range(32)]
    assert [timeline[second]["phase"] for second in (0, 2, 12, 22)] == ["warmup", "steady", "outage", "recovery"]
    assert (timeline[15]["error"], timeline[15]["response_p95_s"]) == (20, None)
    assert timeline[5]["response_p95_s"] == 0.5
    assert timeline[31]["spend_usd"] == pytest.approx(0.62)  # 640 requests less the 20 that failed, a tenth of a cent each


def test_the_requests_file_keeps_every_bad_request_and_thins_out_the_rest(tmp_path: Path) -> None:
    rows = [sample(n, 2.0 + n / 3000, 0.4) for n in range(30_000)]
    rows = [failed(row) if row.seq % 100 == 0 else row for row in rows]
    measure(RunBuilder(samples=rows, calls=[]).build(tmp_path / "run"))
    kept = table(tmp_path, "requests")
    assert kept.num_rows <= 20_000
    assert sum(kept["bad"].to_pylist()) == 300


def test_a_request_shows_the_time_that_it_spent_inside_the_provider(tmp_path: Path) -> None:
    row = sample(0, 3.0, 1.0)
    call = call_of(row, received_ns=3_200_000_000, ended_ns=3_900_000_000)
    measure(RunBuilder(samples=[row, unsent(sample(1, 3.5))], calls=[call]).build(tmp_path / "run"))
    first, second = table(tmp_path, "requests").to_pylist()
    assert first["provider_s"] == pytest.approx(0.7)
    assert first["calls"] == 1
    assert (second["provider_s"], second["response_s"], second["lag_ms"], second["calls"]) == (None, None, None, 0)


def test_a_run_without_requests_is_measured_too(tmp_path: Path) -> None:
    summary = measure(RunBuilder(objectives=(error_rate(),), samples=[], calls=[]).build(tmp_path / "run"))
    assert all(part.eligible == 0 for part in summary.phases)
    assert summary.recoveries[0].recovered_s is None
    assert table(tmp_path, "cdf")["response_s"].null_count == 1000


def test_cancelled_requests_are_counted_and_not_judged(tmp_path: Path) -> None:
    rows = [*healthy_samples(), failed(sample(640, 3.0, None), Result.CANCELLED)]
    steady = phase(measure(RunBuilder(objectives=STEADY, samples=rows).build(tmp_path / "run")), "steady")
    assert (steady.cancelled, steady.intended, steady.bad) == (1, 201, 0)


def test_a_fault_of_a_phase_is_foreign_to_every_other(tmp_path: Path) -> None:
    longer = replace(FAULT, clear_ns=22 * S)
    rows = [sample(n, 22.0 + n / 1000, 0.05) for n in range(50)]
    part = phase(measure(RunBuilder(samples=rows, faults=(longer,)).build(tmp_path / "run")), "recovery")
    assert (part.straddling, part.eligible) == (50, 0)


def test_a_kept_request_says_what_its_sample_said_and_how_many_calls_it_caused(tmp_path: Path) -> None:
    rows = [
        sample(0, 9.0, model=None, streamed=False),
        refused(sample(1, 3.0), Refusal.BUDGET, expected=True),
        refused(sample(2, 31.0), Refusal.RATE, status=429),
        failed(sample(3, 4.0), error_kind="status"),
        unsent(sample(4, 5.0)),
        sample(5, 3.5, source=Source.SECONDARY, principal="user-0009"),
    ]
    calls = [call_of(rows[0]), call_of(rows[5]), replace(call_of(rows[5]), call_id="call-again"), call_of(rows[3])]
    measure(RunBuilder(samples=rows, calls=calls).build(tmp_path / "run"))
    kept = table(tmp_path, "requests").to_pylist()
    assert [row["seq"] for row in kept] == [1, 5, 3, 4, 0, 2], "in order of their times, not of the file"
    assert {row["seq"]: row["calls"] for row in kept} == {0: 1, 1: 0, 2: 0, 3: 1, 4: 0, 5: 2}
    said = ("user_class", "principal", "model", "streamed", "result", "source", "refusal", "error_kind", "expected",
            "status_code", "request_id")  # fmt: skip
    for row in kept:
        assert {name: row[name] for name in said} == {name: getattr(rows[row["seq"]], name) for name in said}


def test_a_request_of_a_fault_phase_that_the_fault_never_touched_straddles(tmp_path: Path) -> None:
    late = {event: at_s + 3.0 if at_s < 20 else at_s for event, at_s in FAULT_STEPS.items()}  # requested at 15 s, not at 12
    outage = phase(measure(RunBuilder(steps=late).build(tmp_path / "run")), "outage")
    assert (outage.intended, outage.straddling, outage.eligible) == (200, 50, 150)  # 12.0 to 14.5 s ended before it


def test_a_duration_that_did_not_happen_counts_as_endless() -> None:
    (median, top) = quantiles_of(np.array([1e9, np.nan, 1e9, np.inf]), (500, 1000))
    assert (median.value_s, top.value_s) == (1.0, None)
    assert quantiles_of(np.array([np.nan]), (500,))[0].value_s is None
    assert quantiles_of(np.array([]), (500,))[0].value_s is None


@pytest.mark.parametrize("n", [1, 2, 60, 5000])
def test_a_quantile_is_the_value_of_its_rank_among_all_in_order(n: int) -> None:
    durations = np.random.default_rng(n).integers(1, n, n, endpoint=True).astype(np.float64) * 1e9  # with ties
    durations[::17] = np.inf
    given = durations.copy()
    ordered = sorted(durations)
    for found in quantiles_of(durations, (1, 500, 900, 950, 990, 1000)):
        value = ordered[-(-n * found.permille // 1000) - 1]
        assert found.value_s == (None if np.isinf(value) else value / 1e9), found.permille
        assert found.low_s is None or found.value_s is None or found.low_s <= found.value_s
        assert found.high_s is None or found.value_s is not None
    assert np.array_equal(durations, given), "what others count from is left as it was"


def test_rows_with_impossible_moments_do_not_stop_the_measuring(tmp_path: Path) -> None:
    strange = [sample(640, -3.0), replace(sample(641, 3.0), intended_ns=2**62), replace(sample(642, 3.0), worker=-1)]
    summary = measure(RunBuilder(objectives=STEADY, samples=healthy_samples() + strange).build(tmp_path / "run"))
    assert phase(summary, "steady").intended == 201
    assert table(tmp_path, "timeline").num_rows == 32


def test_requests_that_a_locustfile_names_are_the_ordinary_load(tmp_path: Path) -> None:
    """They have classes that no mix knows, and counted as nobody's they would be judged by no objective."""
    named = [replace(row, user_class=f"page {row.seq % 3}") for row in healthy_samples()]
    run = RunBuilder(objectives=STEADY, samples=named).build(tmp_path / "run")
    assert [part.intended for part in measure(run).phases] == [0, 0, 0, 0]
    plan = run.read_plan()
    run.write_plan(replace(plan, load=replace(plan.load, locustfile=LocustfileReference(path="/x/f.py", digest="0"))))
    assert [part.intended for part in measure(run).phases] == [40, 200, 200, 200]
