"""The estimate of a worker's clock against clocks that are known, over a network that takes what it likes each way."""

from hypothesis import given
from hypothesis import strategies as st

from harness.load.member import offset_of
from harness.load.messages import Clock

times = st.integers(0, 10**9)


@given(st.integers(-(10**15), 10**15), times, times, times)
def test_the_true_offset_is_always_within_the_bound(offset_ns: int, out_ns: int, thought_ns: int, back_ns: int) -> None:
    master_ns = 7 * 10**15  # the master's clock when the worker asks
    told = Clock(asked_ns=master_ns + offset_ns, received_ns=master_ns + out_ns, answered_ns=master_ns + out_ns + thought_ns)
    found = offset_of(told, master_ns + out_ns + thought_ns + back_ns + offset_ns)
    assert abs(found.offset_ns - offset_ns) <= found.uncertainty_ns + 1
    assert found.uncertainty_ns <= (out_ns + back_ns) // 2 + 1


@given(st.integers(-(10**15), 10**15), times)
def test_a_network_that_is_as_quick_both_ways_gives_the_offset_itself(offset_ns: int, way_ns: int) -> None:
    told = Clock(asked_ns=offset_ns, received_ns=way_ns, answered_ns=way_ns)
    assert abs(offset_of(told, 2 * way_ns + offset_ns).offset_ns - offset_ns) <= 1
