"""A service is not steady where its own limits are broken for certain, or where nothing ends at all."""

from dataclasses import replace

from test_run_timeline import LINE, PLAN

from harness.model.histogram import bucket_of
from harness.model.objective import Kind, Objective, Quantity
from harness.run.steady import steady_state, steady_stretch

S = 1_000_000_000
ERRORS = Objective(id="e", kind=Kind.RATIO, quantity=Quantity.ERROR_SHARE, op="<=", limit=0.1, written="error rate < 10%")
SLOW = Objective(
    id="l", kind=Kind.RATIO, quantity=Quantity.LATENCY, op="<=", limit=0.05, written="p95 < 1s", threshold_ns=S, permille=950
)


def state(*results: dict[str, int], objectives=(ERRORS,), latency=None):
    lines = [replace(LINE, t_ns=(second + 1) * S, results=result, latency=latency or {}) for second, result in enumerate(results)]
    return steady_state(replace(PLAN, objectives=tuple(objectives)), lines, from_ns=0, until_ns=len(results) * S)


def test_a_few_bad_requests_within_the_limit_are_steady():
    seen = state(*[{"answered": 19, "error": 1}] * 5)
    assert (seen.ended, seen.bad, seen.problems) == (100, 5, ())


def test_far_more_bad_requests_than_the_scenario_allows_are_not():
    (problem,) = state(*[{"answered": 10, "error": 10}] * 5).problems
    assert problem == "50 of 100 requests were bad (50%), and 10% may be"


def test_one_bad_request_of_few_stops_nothing():
    assert state({"answered": 4, "error": 1}).problems == ()


def test_refusals_are_no_sign_of_an_unsteady_service():
    assert state(*[{"refused": 20}] * 5).problems == ()


def test_a_scenario_that_says_nothing_about_errors_has_a_limit_all_the_same():
    assert state(*[{"answered": 8, "timeout": 2}] * 10, objectives=()).problems == (
        "20 of 100 requests were bad (20%), and 5% may be",
    )


def test_answers_that_are_too_slow_are_not_steady():
    latency = {bucket_of(100_000_000): 10, bucket_of(4 * S): 10}
    (problem,) = state(*[{"answered": 20}] * 5, objectives=(SLOW,), latency=latency).problems
    assert "50 of 100 answers took longer than 1 s, and 5% may (p95 < 1s)" in problem


def test_nothing_that_ends_for_seconds_is_not_steady_and_a_moment_says_nothing():
    assert state({}, {}, {}, {}).problems == ("not one request ended",)
    assert state({}, {}).problems == ()


def test_what_lies_outside_the_stretch_does_not_count():
    lines = [replace(LINE, t_ns=1 * S, results={"error": 50}), replace(LINE, t_ns=9 * S, results={"answered": 50})]
    assert steady_state(PLAN, lines, from_ns=5 * S, until_ns=10 * S).bad == 0


def test_the_stretch_ends_with_the_first_fault_and_there_is_none_before_a_fault_at_zero():
    assert steady_stretch(PLAN) is None
    late = tuple(replace(fault, apply_ns=fault.apply_ns + 7 * S, clear_ns=fault.clear_ns + 7 * S) for fault in PLAN.faults)
    assert steady_stretch(replace(PLAN, faults=late)) == (0, 7 * S)
    assert steady_stretch(replace(PLAN, faults=())) is None
