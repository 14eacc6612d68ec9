"""One timer for all time limits, on a real gevent loop."""

import time
from collections.abc import Iterator

import gevent
import pytest

from harness.load.deadlines import NEVER_NS, Deadlines

MS = 1_000_000


class Carrier:
    """Something that carries requests and remembers which of them ran out of time, and when."""

    def __init__(self) -> None:
        self.deadline_ns = self.watched_ns = NEVER_NS
        self.expired: list[int] = []

    def carry(self, deadlines: Deadlines, within_ns: int) -> int:
        self.deadline_ns = time.monotonic_ns() + within_ns
        deadlines.watch(self)
        return self.deadline_ns

    def expire(self) -> None:
        assert time.monotonic_ns() >= self.deadline_ns
        self.expired.append(self.deadline_ns)
        self.deadline_ns = NEVER_NS


@pytest.fixture
def deadlines() -> Iterator[Deadlines]:
    made = Deadlines()
    yield made
    made.close()


def wait_for(carriers: list[Carrier], count: int) -> None:
    with gevent.Timeout(5):
        while sum(len(carrier.expired) for carrier in carriers) < count:
            gevent.sleep(0.002)


def test_each_expires_once_at_its_own_limit_in_whatever_order_they_came(deadlines: Deadlines) -> None:
    carriers = [Carrier() for _ in range(4)]
    limits = [carrier.carry(deadlines, within) for carrier, within in zip(carriers, (60 * MS, 20 * MS, 80 * MS, 0), strict=True)]
    wait_for(carriers, 4)
    gevent.sleep(0.03)
    assert [carrier.expired for carrier in carriers] == [[limit] for limit in limits]


def test_a_request_that_was_answered_does_not_expire_and_the_next_one_keeps_its_own_limit(deadlines: Deadlines) -> None:
    carrier = Carrier()
    carrier.carry(deadlines, 30 * MS)
    later = carrier.carry(deadlines, 90 * MS)  # the one before was answered in time
    wait_for([carrier], 1)
    assert carrier.expired == [later]


def test_a_shorter_limit_after_a_longer_one_is_kept_and_the_longer_one_means_nothing_then(deadlines: Deadlines) -> None:
    carrier = Carrier()
    carrier.carry(deadlines, 80 * MS)
    shorter = carrier.carry(deadlines, 20 * MS)
    wait_for([carrier], 1)
    gevent.sleep(0.1)
    assert carrier.expired == [shorter]


def test_what_is_idle_at_the_limit_of_an_earlier_request_does_not_expire_and_can_be_watched_again(deadlines: Deadlines) -> None:
    carrier = Carrier()
    carrier.carry(deadlines, 10 * MS)
    carrier.deadline_ns = NEVER_NS
    gevent.sleep(0.05)
    assert carrier.expired == []
    again = carrier.carry(deadlines, 10 * MS)
    wait_for([carrier], 1)
    assert carrier.expired == [again]


def test_a_thousand_requests_on_one_lane_stand_there_once(deadlines: Deadlines) -> None:
    carrier = Carrier()
    for _ in range(1000):
        carrier.carry(deadlines, 1000 * MS)
    assert len(deadlines._heap) == 1
