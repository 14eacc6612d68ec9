import random

import pytest

from harness.provider.faults.checking import RejectedError
from harness.provider.faults.trigger import Asked, Trigger


def asked(prompt=b"hello", *, model="sim-small", key="a" * 12, headers=None, received_ns=0):
    return Asked(model=model, key_fingerprint=key, headers=headers or {}, prompt=prompt, received_ns=received_ns)


def trigger(seed=1, **values):
    return Trigger(values, seed=seed, set_ns=0)


def fired(of, calls):
    return [number for number, call in enumerate(calls, 1) if of.fires(call)]


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"always": True}, [1, 2, 3, 4, 5, 6]),
        ({"nth": 3}, [3]),
        ({"every_nth": 2}, [2, 4, 6]),
        ({"every_nth": 1}, [1, 2, 3, 4, 5, 6]),
        ({"first_n": 2}, [1, 2]),
        ({"share": 0.0}, []),
        ({"share": 1.0}, [1, 2, 3, 4, 5, 6]),
        ({"share": 1}, [1, 2, 3, 4, 5, 6]),
    ],
)
def test_a_counting_rule_picks_its_calls(values, numbers):
    assert fired(trigger(**values), [asked()] * 6) == numbers


def test_filters_choose_what_is_counted():
    mixed = [asked(model="sim-large"), asked(), asked(model="sim-large"), asked(model="sim-large")]
    assert fired(trigger(model="sim-large", nth=2), mixed) == [3]


def test_a_key_is_named_by_its_fingerprint():
    assert fired(trigger(key="b" * 12), [asked(), asked(key="b" * 12)]) == [2]


@pytest.mark.parametrize(
    ("header", "headers", "fires"),
    [
        ("x-tenant", {"x-tenant": "acme"}, True),
        ("X-Tenant", {"x-tenant": "acme"}, True),
        ("x-tenant: acme", {"x-tenant": "acme"}, True),
        ("x-tenant: acme", {"x-tenant": "acme2"}, False),
        ("x-tenant", {}, False),
    ],
)
def test_a_header_is_matched_by_name_or_by_name_and_value(header, headers, fires):
    assert trigger(header=header).fires(asked(headers=headers)) is fires


def test_a_window_is_open_from_its_start_to_before_its_end():
    window = Trigger({"window_from_ms": 10, "window_to_ms": 20}, seed=1, set_ns=1_000_000_000)
    moments_ms = [1_009, 1_010, 1_019, 1_020]
    assert [window.fires(asked(received_ns=moment * 1_000_000)) for moment in moments_ms] == [False, True, True, False]


def test_a_share_is_near_its_size_and_the_same_calls_for_the_same_seed():
    calls = [asked(str(number).encode()) for number in range(4_000)]
    first = fired(trigger(share=0.3), calls)
    assert 1_100 < len(first) < 1_300
    assert fired(trigger(share=0.3), calls) == first
    assert fired(trigger(seed=2, share=0.3), calls) != first


def test_a_share_meets_the_same_requests_in_another_order():
    prompts = [str(number % 50).encode() for number in range(200)]
    shuffled = random.Random(1).sample(prompts, len(prompts))

    def met(order):
        share = trigger(share=0.4)
        return sorted(prompt for prompt in order if share.fires(asked(prompt)))

    assert met(prompts) == met(shuffled)


def test_a_retry_of_the_same_request_is_drawn_anew():
    share = trigger(share=0.5)
    assert 20 < len(fired(share, [asked()] * 60)) < 40


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"nth": 0}, "trigger.nth is 0; allowed: an integer from 1"),
        ({"nth": 1.5}, "trigger.nth is 1.5"),
        ({"share": -0.1}, "trigger.share is -0.1; allowed: a number from 0 to 1"),
        ({"share": True}, "trigger.share is True"),
        ({"every": 2}, "did you mean 'every_nth'"),
        ({"always": False}, "trigger.always is False"),
        ({"first_n": 1, "every_nth": 2}, "exclude each other"),
        ({"model": 5}, "trigger.model is 5"),
    ],
)
def test_a_trigger_that_cannot_be_is_refused(values, says):
    with pytest.raises(RejectedError, match=r".*") as refused:
        trigger(**values)
    assert says in str(refused.value)
