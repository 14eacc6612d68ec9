import json

import pytest

from harness.model.sample import Call
from harness.provider.records import CallLog, DroppedError, gap_p95_and_max_ns


def call(number):
    return Call(
        call_id=f"primary-{number}", endpoint="primary", model="sim-small", streamed=True, request_id=None, tag=None,
        key_fingerprint="k", received_ns=number, first_content_ns=None, last_content_ns=None, ended_ns=number, gap_p95_ns=None,
        gap_max_ns=None, chunks=0, status_code=200, prompt_tokens=0, completion_tokens=0, cost_usd=0.0, ended="completed", fault=None,
    )  # fmt: skip


def filled(count, **rest):
    log = CallLog(**rest)
    for number in range(count):
        log.append(call(number))
    return log


def ids(page):
    return [item["call_id"] for item in json.loads(page)]


def test_pages_follow_each_other_without_a_gap_or_an_overlap():
    log = filled(7, page=3)
    seen, after = [], 0
    while True:
        page, following = log.after(after)
        if following == after:
            break
        seen += ids(page)
        after = following
    assert seen == [f"primary-{number}" for number in range(7)]
    assert after == 7


def test_a_call_that_ends_later_is_on_the_next_page():
    log = filled(2)
    _, after = log.after(0)
    assert ids(log.after(after)[0]) == []
    log.append(call(2))
    assert ids(log.after(after)[0]) == ["primary-2"]


def test_asking_beyond_the_end_gives_nothing_and_does_not_move():
    page, following = filled(2).after(9)
    assert (ids(page), following) == ([], 9)


def test_calls_that_are_no_longer_kept_are_an_error_and_never_a_silent_gap():
    log = filled(5, kept=3)
    assert ids(log.after(2)[0]) == ["primary-2", "primary-3", "primary-4"]
    with pytest.raises(DroppedError) as dropped:
        log.after(1)
    assert dropped.value.first == 2
    assert len(log) == 5


@pytest.mark.parametrize(
    ("moments", "expected"),
    [
        ([], (None, None)),
        ([5], (None, None)),
        ([5, 12], (7, 7)),
        ([0, 1, 3, 6], (3, 3)),
        ([0, 9, 10, 11], (9, 9)),
        (list(range(0, 2_001, 100)), (100, 100)),
        ([*range(0, 2_000, 100), 2_500], (100, 600)),  # 19 gaps of 100 and one of 600: the 19th of 20 is the 95th percentile
    ],
)
def test_gaps_are_reduced_to_ones_that_were_observed(moments, expected):
    assert gap_p95_and_max_ns(moments) == expected
