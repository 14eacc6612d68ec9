"""What concerns one place is done in its order; different places do not wait for each other."""

import threading

import pytest

from harness.run.lanes import Lanes, lane_of


@pytest.mark.parametrize(
    ("at", "lane"),
    [
        ("links.redis", "redis"),
        ("processes.redis", "redis"),
        ("dependencies.redis", "redis"),
        ("provider.primary", "provider"),
        ("provider.secondary", "provider"),
        ("processes.provider", "provider"),
        ("processes.service-a", "service-a"),
        ("host", "host"),
    ],
)
def test_all_that_breaks_one_server_is_in_one_lane(at, lane):
    assert lane_of(at) == lane


def test_a_place_that_takes_long_holds_up_its_own_work_and_nobody_elses():
    lanes, release, told = Lanes(), threading.Event(), []
    slow = lanes.do("processes.redis", lambda: (release.wait(10), told.append("slow"))[1])
    after = lanes.do("links.redis", lambda: told.append("after"))
    other = lanes.do("links.postgres", lambda: told.append("other"))
    other.result(5)
    assert told == ["other"]
    assert not after.done()
    assert lanes.busy()
    release.set()
    slow.result(5)
    after.result(5)
    assert told == ["other", "slow", "after"]
    assert not lanes.busy()


def test_what_work_raises_reaches_whoever_asked_and_the_lane_goes_on():
    lanes = Lanes()
    broken = lanes.do("host", lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    with pytest.raises(ZeroDivisionError):
        broken.result(5)
    lanes.do("host", lambda: None).result(5)
    assert lanes.close(within_s=1)


def test_closed_lanes_begin_nothing_more_and_wait_for_what_has_begun():
    lanes, begun, release = Lanes(), threading.Event(), threading.Event()
    told = []

    def work() -> None:
        begun.set()
        release.wait(10)
        told.append("first")

    first = lanes.do("host", work)
    waiting = lanes.do("host", lambda: told.append("second"))
    assert begun.wait(5)
    assert not lanes.close(within_s=0.05), "it has begun and goes on"
    release.set()
    first.result(5)
    assert waiting.cancelled()
    assert lanes.do("host", lambda: told.append("late")).cancelled()
    assert told == ["first"]
