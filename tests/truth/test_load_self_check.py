from harness.run.self_check import SelfCheck, self_check


def test_the_engine_says_what_rate_this_machine_can_carry() -> None:
    found = self_check()
    assert found.reached_rps > 200  # on the slowest machine that anybody would load from
    assert found.carries_rps < found.reached_rps
    assert "/s on time" in found.sentence(1)


def test_a_plan_beyond_it_is_warned_of() -> None:
    found = SelfCheck(reached_rps=1000, carries_rps=500, loop_lag_p99_ms=None)
    assert "add --workers" in found.sentence(501)
    assert "WARNING" not in found.sentence(499)
