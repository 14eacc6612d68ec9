"""What each kind of objective counts, and what not. That each passes, fails and knows nothing is asked in `tests/unit/three`."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from run_builder import FAULT_STEPS, JUDGED, RunBuilder, S, call_of, failed, healthy_samples, refused

from harness.judge import judge
from harness.model.journal import Event
from harness.model.judgement import Judgement, Status
from harness.model.objective import Kind, Objective, Quantity, Waiver
from harness.model.outcome import Refusal, Result, Source
from harness.model.sample import Call, Sample

numbers = itertools.count()
Rows = list[Sample]


def objective(
    quantity: Quantity, kind: Kind, op: str, limit: float, during: tuple[str, ...] = ("steady",), **more: object
) -> Objective:
    plain = Objective(id="o", kind=kind, quantity=quantity, op=op, limit=limit, written="o", during=during)
    return replace(plain, **more)  # type: ignore[arg-type]


def share(quantity: Quantity, op: str, limit: float, **more: object) -> Objective:
    return objective(quantity, Kind.RATIO, op, limit, **more)


def time(quantity: Quantity, threshold_ms: int, **more: object) -> Objective:
    return share(quantity, "<=", 0.05, threshold_ns=threshold_ms * 1_000_000, permille=950, **more)


def after(quantity: Quantity, limit_s: float) -> Objective:
    return objective(quantity, Kind.DURATION, "<=", limit_s * S, (), after="outage")


def in_steady(change: Callable[[Sample], Sample], every: int = 2) -> Callable[[Rows], Rows]:
    def changed(rows: Rows) -> Rows:
        return [change(r) if 2 * S <= r.intended_ns < 12 * S and r.seq % every == 0 else r for r in rows]

    return changed


def gone(rows: Rows) -> Rows:
    """No request in the steady phase is of the kind that the objective counts: the harness cancelled them all."""
    return in_steady(lambda r: replace(r, result=Result.CANCELLED, source=None), every=1)(rows)


def paced(rows: Rows) -> Rows:
    return [replace(r, gap_p95_ns=20_000_000, completion_tokens=11) for r in rows]


def slow_gaps(rows: Rows) -> Rows:
    return in_steady(lambda r: replace(r, gap_p95_ns=900_000_000))(paced(rows))


def slow_tokens(rows: Rows) -> Rows:
    return in_steady(lambda r: replace(r, completion_tokens=2))(paced(rows))  # one token in all the time after the first


def whole_only(rows: Rows) -> Rows:
    return in_steady(lambda r: replace(r, streamed=False), every=1)(rows)


def refused_at(took_s: float) -> Callable[[Rows], Rows]:
    return in_steady(lambda r: replace(refused(r, Refusal.UNAVAILABLE, status=503), ended_ns=r.intended_ns + round(took_s * S)))


def from_cache(rows: Rows) -> Rows:
    return in_steady(lambda r: replace(r, source=Source.CACHE), every=1)(rows)


def rules(rows: Rows) -> Rows:
    return in_steady(lambda r: replace(r, source=Source.RULE), every=1)(rows)


def canned(rows: Rows) -> Rows:
    return in_steady(lambda r: replace(r, source=Source.CANNED))(rows)


def same(rows: Rows) -> Rows:
    return rows


@dataclass(frozen=True)
class Trial:
    """An objective, and the three runs that it is tried on."""

    asked: Objective
    healthy: Callable[[Rows], Rows]
    broken: Callable[[Rows], Rows]
    nothing: Callable[[Rows], Rows] = gone


broken = in_steady(failed)
slow = in_steady(lambda r: replace(r, ended_ns=r.intended_ns + 6 * S), every=1)
RATIOS = {
    "inter-token latency": Trial(time(Quantity.ITL, 200), paced, slow_gaps, whole_only),
    "time per output token": Trial(time(Quantity.TPOT, 100), paced, slow_tokens, whole_only),
    "refusal latency": Trial(time(Quantity.REFUSAL_LATENCY, 1000), refused_at(0.05), refused_at(3.0), same),
    "breakage": Trial(share(Quantity.BREAKAGE, "<=", 0.05), refused_at(0.05), broken),
    "availability": Trial(share(Quantity.AVAILABILITY, ">=", 0.95), same, broken),
    "answered share": Trial(share(Quantity.ANSWERED_SHARE, "<=", 0.05), in_steady(failed, every=1), same),
    "goodput": Trial(share(Quantity.GOODPUT, ">=", 0.9), same, slow),
    "degraded share": Trial(share(Quantity.DEGRADED_SHARE, "<=", 0.05), same, canned, rules),
    "refusal share": Trial(share(Quantity.REFUSAL_SHARE, "<=", 0.05), same, refused_at(0.05)),
    "cache hit rate": Trial(share(Quantity.CACHE_HIT_RATE, ">=", 0.9), from_cache, same, rules),
}
SELECTED = {
    "refusals wanted": Trial(share(Quantity.REFUSAL_SHARE, ">=", 0.4, refusals=("unavailable",)), refused_at(0.05), same),
    "one model": Trial(share(Quantity.ERROR_SHARE, "<=", 0.05, models=("sim-large",)), same, broken),
    "streams": Trial(share(Quantity.ERROR_SHARE, "<=", 0.05, streamed=True), same, broken, whole_only),
}


def judged(path: Path, asked: Objective, rows: Rows, *beside: Objective, **more: object) -> Judgement:
    run = RunBuilder(objectives=(asked, *beside), samples=rows, **more).build(path / f"run{next(numbers)}")  # type: ignore[arg-type]
    return next(row for row in judge(run).results if row.id == asked.id)


@pytest.mark.parametrize("name", SELECTED)
def test_a_share_of_some_passes_when_healthy_fails_when_broken_and_knows_nothing_without_data(tmp_path: Path, name: str) -> None:
    trial = SELECTED[name]
    seen = [
        judged(tmp_path, trial.asked, change(healthy_samples())).status for change in (trial.healthy, trial.broken, trial.nothing)
    ]
    assert seen == [Status.PASS, Status.FAIL, Status.INCONCLUSIVE]


def test_a_typed_refusal_is_no_breakage_though_it_is_an_error(tmp_path: Path) -> None:
    rows = refused_at(0.05)(healthy_samples())
    assert judged(tmp_path, share(Quantity.BREAKAGE, "<=", 0.05), rows).status is Status.PASS
    assert judged(tmp_path, share(Quantity.ERROR_SHARE, "<=", 0.05), rows).status is Status.FAIL


def test_refusals_of_another_kind_are_not_counted(tmp_path: Path) -> None:
    asked = share(Quantity.REFUSAL_SHARE, "<=", 0.05, refusals=("rate",))
    assert judged(tmp_path, asked, refused_at(0.05)(healthy_samples())).status is Status.PASS


def test_an_objective_of_one_user_judges_no_other(tmp_path: Path) -> None:
    rows = [failed(r) if r.principal == "user-0100" else replace(r, principal="user-0000") for r in healthy_samples()]
    rows = [replace(r, principal="user-0100") if r.result is Result.ERROR else r for r in rows]
    theirs = judged(tmp_path, share(Quantity.ERROR_SHARE, "<=", 0.5, principals=("user-0100",)), rows)
    assert theirs.test is not None
    assert theirs.test.n == theirs.test.bad == 1


# -- times after a fault --------------------------------------------------------------------------------------------------

DRILLS = {Quantity.DETECTION: 5.0, Quantity.TO_FALLBACK: 5.0, Quantity.TO_PRIMARY: 5.0}


def never_falls_back(rows: Rows) -> Rows:
    def source(at_s: float) -> Source:  # what is under way when the fault is cleared needs no model at all
        return Source.PRIMARY if at_s < 21 else Source.RULE if at_s < 22 else Source.SECONDARY

    return [replace(r, source=source(r.intended_ns / S)) for r in rows]


@pytest.mark.parametrize("quantity", DRILLS)
def test_a_time_after_a_fault_passes_fails_and_is_unknown(tmp_path: Path, quantity: Quantity) -> None:
    asked = after(quantity, DRILLS[quantity])
    assert judged(tmp_path, asked, healthy_samples()).status is Status.PASS
    late = judged(tmp_path, asked, never_falls_back(healthy_samples()))
    assert late.status is Status.FAIL
    assert "was not seen" in late.reason
    unknown = judged(tmp_path, asked, healthy_samples(), faults=(), steps={})
    assert unknown.status is Status.INCONCLUSIVE


def test_a_fallback_that_was_not_seen_within_a_shorter_outage_than_the_limit_is_unknown(tmp_path: Path) -> None:
    seen = judged(tmp_path, after(Quantity.TO_FALLBACK, 30.0), never_falls_back(healthy_samples()))
    assert seen.status is Status.INCONCLUSIVE


# -- money and tokens -----------------------------------------------------------------------------------------------------

MONEY = {Quantity.COST_PER_QUERY: 0.002, Quantity.TOKENS: 20_000.0}


@pytest.mark.parametrize("quantity", MONEY)
def test_a_meter_passes_fails_and_shows_nothing_without_the_providers_records(tmp_path: Path, quantity: Quantity) -> None:
    asked = objective(quantity, Kind.BUDGET, "<=", MONEY[quantity], ())
    rows = healthy_samples()
    dear: list[Call] = [call_of(r, cost_usd=0.003, completion_tokens=200) for r in rows]
    assert judged(tmp_path, asked, rows).status is Status.PASS
    assert judged(tmp_path, asked, rows, calls=dear).status is Status.FAIL
    assert judged(tmp_path, asked, rows, calls=[]).status is Status.INCONCLUSIVE
    assert judged(tmp_path, asked, rows, without_truth=True, target_kind="external").status is Status.INCONCLUSIVE


# -- error budget -----------------------------------------------------------------------------------------------------------

BURN = objective(Quantity.BURN_RATE, Kind.BUDGET, "<=", 14.4, slo=0.99, windows_ns=(6 * S, 2 * S))


def burst(from_s: float, until_s: float) -> Rows:
    return [failed(r) if from_s * S <= r.intended_ns < until_s * S else r for r in healthy_samples()]


def test_a_burn_over_both_windows_fails_and_a_blip_in_the_short_one_alone_does_not(tmp_path: Path) -> None:
    assert judged(tmp_path, BURN, healthy_samples()).status is Status.PASS
    assert judged(tmp_path, BURN, burst(8.0, 11.0)).status is Status.FAIL  # 3 of 6 s: 50 times the budget
    assert judged(tmp_path, BURN, burst(8.0, 8.5)).status is Status.PASS  # 0.5 of 6 s: 8 times
    assert judged(tmp_path, BURN, [r for r in healthy_samples() if r.seq % 10 == 0]).status is not Status.PASS


def test_a_phase_shorter_than_the_long_window_tells_no_burn_rate(tmp_path: Path) -> None:
    assert judged(tmp_path, replace(BURN, windows_ns=(11 * S, 2 * S)), healthy_samples()).status is Status.INCONCLUSIVE


# -- stream integrity -------------------------------------------------------------------------------------------------------

NEVER = objective(Quantity.STREAM_INTEGRITY, Kind.INVARIANT, "<=", 0.0, ())


def with_cut(rows: Rows, seq: int, **more: object) -> list[Call]:
    return [call_of(r, **(more if r.seq == seq else {})) for r in rows if r.source is not Source.CANNED]


def test_half_an_answer_that_reached_the_client_as_whole_fails_in_an_invalid_run_too(tmp_path: Path) -> None:
    rows = healthy_samples()
    seen = judged(tmp_path, NEVER, rows, calls=with_cut(rows, 100, ended="cut", fault="cut"))
    assert seen.status is Status.FAIL
    assert seen.evidence[0].ref == "100"
    invalid = judged(tmp_path, NEVER, rows, calls=with_cut(rows, 100, ended="cut", fault="cut"), manifest=False)
    assert invalid.status is Status.FAIL


def test_a_stream_without_its_end_counts_as_broken_though_its_connection_ended_well(tmp_path: Path) -> None:
    rows = healthy_samples()
    assert judged(tmp_path, NEVER, rows, calls=with_cut(rows, 7, fault="missing_done")).status is Status.FAIL


def test_a_broken_call_that_ended_as_an_error_or_was_asked_again_breaks_nothing(tmp_path: Path) -> None:
    rows = [failed(r, Result.MALFORMED) if r.seq == 100 else r for r in healthy_samples()]
    again = call_of(rows[5], call_id="first-try", ended="cut", fault="cut")
    calls = [*with_cut(rows, 100, ended="cut", fault="cut"), again]
    assert judged(tmp_path, NEVER, rows, calls=calls).status is Status.PASS


def test_without_a_broken_call_or_without_records_integrity_was_not_put_to_the_test(tmp_path: Path) -> None:
    assert judged(tmp_path, NEVER, healthy_samples()).status is Status.INCONCLUSIVE
    assert judged(tmp_path, NEVER, healthy_samples(), without_truth=True, target_kind="external").status is Status.INCONCLUSIVE


# -- waivers ----------------------------------------------------------------------------------------------------------------


def waived_until(day: str) -> Objective:
    waiver = Waiver(owner="ops", reason="the second model comes in spring", expires=day)
    return share(Quantity.ERROR_SHARE, "<=", 0.05, waiver=waiver, owner="ops")


def test_a_waiver_sets_a_fail_aside_and_keeps_what_it_would_have_been(tmp_path: Path) -> None:
    run = RunBuilder(objectives=(waived_until("2099-01-01"),), samples=broken(healthy_samples())).build(tmp_path / "run")
    verdict = judge(run)
    (row,) = verdict.results
    assert (row.status, row.waived_status) == (Status.WAIVED, Status.FAIL)
    assert "it would be fail" in row.reason
    assert verdict.verdict is Status.INCONCLUSIVE  # nothing else was judged: a run of waivers proves nothing


def test_a_waiver_that_has_ended_changes_nothing_and_says_so(tmp_path: Path) -> None:
    row = judged(tmp_path, waived_until("2023-11-13"), broken(healthy_samples()))  # the run is of 2023-11-14
    assert row.status is Status.FAIL
    assert "ended on 2023-11-13" in row.reason
    assert judged(tmp_path, waived_until("2023-11-14"), broken(healthy_samples())).status is Status.WAIVED


def test_a_pass_needs_no_waiver_and_an_invalid_run_cannot_be_waived(tmp_path: Path) -> None:
    assert judged(tmp_path, waived_until("2099-01-01"), healthy_samples()).status is Status.PASS
    assert judged(tmp_path, waived_until("2099-01-01"), broken(healthy_samples()), manifest=False).status is Status.INVALID


# -- runs that were cut short -----------------------------------------------------------------------------------------------


def test_a_run_cut_short_speaks_of_no_window_that_was_never_run(tmp_path: Path) -> None:
    rows = [r for r in healthy_samples() if r.intended_ns < 23 * S]
    builder = RunBuilder(
        objectives=(share(Quantity.ERROR_SHARE, "<=", 0.05, during=JUDGED), after(Quantity.RECOVERY, 5.0)), samples=rows
    )
    builder.events = (Event.RUN_STARTED, Event.LOAD_STARTED)
    builder.steps = FAULT_STEPS
    run = builder.build(tmp_path / "run")
    run.record(Event.INTERRUPTED, at_ns=23 * S, signal=2)
    run.write_manifest()
    verdict = judge(run)
    row = verdict.results[-1]
    assert "cut short 23 s after its start" in row.reason
    assert "left 900 ms" in row.reason
    assert 23 <= verdict.duration_s < 24


def test_rows_that_stand_in_another_order_are_judged_alike(tmp_path: Path) -> None:
    rows = broken(healthy_samples())
    asked = share(Quantity.ERROR_SHARE, "<=", 0.05)
    straight = judged(tmp_path, asked, rows)
    shuffled = [replace(r, seq=len(rows) - 1 - r.seq) for r in rows]  # the close orders by seq: latest first
    turned = judged(tmp_path, asked, shuffled)
    assert (straight.status, straight.test) == (turned.status, turned.test)
