"""The laws of the circuit breaker, under any order of events."""

from hypothesis import given
from hypothesis import strategies as st

from reference_service.breaker import Breaker, BreakerRules, Permit

RULES = BreakerRules(failures=3, open_s=2.0, probes=2, successes=2, ratio=0.5, min_calls=6, window_s=10.0)


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def opened(clock: Clock, rules: BreakerRules = RULES) -> Breaker:
    breaker = Breaker(rules, now=clock)
    for _ in range(rules.failures):
        permit = breaker.admit()
        assert permit is not None
        permit.fail()
    assert breaker.state == "open"
    return breaker


def test_failures_in_a_row_open_it_and_no_call_passes_while_it_is_open():
    clock = Clock()
    breaker = opened(clock)
    clock.now_s = 1.99
    assert breaker.admit() is None


def test_a_success_between_failures_starts_the_row_again():
    breaker = Breaker(BreakerRules(failures=3, open_s=2.0))
    for ok in (False, False, True, False, False):
        permit = breaker.admit()
        assert permit is not None
        permit.succeed() if ok else permit.fail()
    assert breaker.state == "closed"


def test_every_second_call_failing_opens_it_too():
    breaker = Breaker(RULES, now=Clock())
    for ok in (True, False, True, False, True, False):
        permit = breaker.admit()
        assert permit is not None
        permit.succeed() if ok else permit.fail()
    assert breaker.state == "open"


def test_half_open_lets_only_its_probes_through_and_two_successes_close_it():
    clock = Clock()
    breaker = opened(clock)
    clock.now_s = 2.0
    first, second = breaker.admit(), breaker.admit()
    assert first is not None
    assert second is not None
    assert breaker.admit() is None
    first.succeed()
    assert breaker.state == "half-open"
    second.succeed()
    assert breaker.state == "closed"


def test_one_failed_probe_opens_it_for_the_whole_time_again():
    clock = Clock()
    breaker = opened(clock)
    clock.now_s = 2.0
    probe = breaker.admit()
    assert probe is not None
    probe.fail()
    clock.now_s = 3.9
    assert breaker.admit() is None
    clock.now_s = 4.0
    assert breaker.admit() is not None


def test_a_probe_whose_client_went_away_gives_its_place_back():
    clock = Clock()
    breaker = opened(clock, BreakerRules(failures=1, open_s=1.0, probes=1))
    clock.now_s = 1.0
    probe = breaker.admit()
    assert probe is not None
    assert breaker.admit() is None
    probe.forget()
    assert breaker.admit() is not None


def test_a_late_result_of_an_earlier_state_counts_for_nothing():
    clock = Clock()
    breaker = Breaker(RULES, now=clock)
    late = breaker.admit()
    assert late is not None
    for _ in range(3):
        permit = breaker.admit()
        assert permit is not None
        permit.fail()
    clock.now_s = 2.0
    assert breaker.state == "half-open"
    late.fail()
    assert breaker.state == "half-open"
    late.succeed()
    assert breaker.state == "half-open"


@given(st.lists(st.tuples(st.sampled_from(["call", "ok", "fail", "forget", "wait"]), st.integers(0, 5)), max_size=80))
def test_whatever_happens_probes_stay_bounded_and_an_open_breaker_heals_with_time(steps: list[tuple[str, int]]):
    clock = Clock()
    breaker = Breaker(RULES, now=clock)
    out: list[Permit] = []
    probing: list[Permit] = []
    for what, which in steps:
        if what == "wait":
            clock.now_s += which * 0.5
        elif what == "call":
            before = breaker.state
            permit = breaker.admit()
            assert (permit is None) == (before == "open") or before == "half-open"
            if permit is not None:
                out.append(permit)
                if before == "half-open":
                    probing.append(permit)
        elif out:
            permit = out.pop(which % len(out))
            {"ok": permit.succeed, "fail": permit.fail, "forget": permit.forget}[what]()
            probing = [p for p in probing if p is not permit]
        if breaker.state == "half-open":
            assert len(probing) <= RULES.probes
        else:
            probing = []
    for permit in out:
        permit.forget()
    clock.now_s += RULES.open_s
    for _ in range(RULES.successes + RULES.failures):
        permit = breaker.admit()
        assert permit is not None
        permit.succeed()
    assert breaker.state == "closed"
