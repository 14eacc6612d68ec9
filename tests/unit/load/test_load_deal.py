import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from load_plans import MIX, plan

from harness.load.deal import Dealer, principal_name
from harness.model.plan import UserClass


@settings(deadline=None)
@given(st.integers(0, 2**63), st.integers(0, 10**9))
def test_a_deal_depends_on_seed_and_number_only(seed: int, k: int) -> None:
    load = plan().load
    assert Dealer(load, seed).deal(k) == Dealer(load, seed).deal(k)


def test_the_mix_is_dealt_by_weight_and_its_parts_are_independent() -> None:
    dealer = Dealer(plan().load, 3)
    deals = [dealer.deal(k) for k in range(20_000)]
    classes = Counter(deal.user_class for deal in deals)
    assert abs(classes[0] - 5000) < 4 * math.sqrt(20_000 * 0.25 * 0.75)
    both = sum(deal.user_class == 0 and deal.streamed for deal in deals)
    assert abs(both - 2500) < 4 * math.sqrt(20_000 * 0.125 * 0.875)
    prompts = Counter(deal.prompt for deal in deals if deal.user_class == 0)
    assert set(prompts) == {0, 1, 2}
    assert max(prompts.values()) - min(prompts.values()) < 300


@pytest.mark.parametrize(("ratio", "streamed"), [(0.0, {False}), (1.0, {True})])
def test_none_and_all_are_exact(ratio: float, streamed: set[bool]) -> None:
    dealer = Dealer(plan(streamed_ratio=ratio).load, 1)
    assert {dealer.deal(k).streamed for k in range(2000)} == streamed


def test_principals_take_turns() -> None:
    dealer = Dealer(plan(principals=3).load, 1)
    assert [dealer.deal(k).principal for k in range(7)] == [0, 1, 2, 0, 1, 2, 0]
    assert principal_name(12) == "user-0012"


def test_another_seed_deals_otherwise() -> None:
    one, two = Dealer(plan().load, 1), Dealer(plan().load, 2)
    assert [one.deal(k) for k in range(100)] != [two.deal(k) for k in range(100)]


@pytest.mark.parametrize(
    "mix",
    [
        (),
        (UserClass(name="x", weight_ratio=1, prompts=()),),
        (UserClass(name="x", weight_ratio=0, prompts=("a",)),),
        (MIX[0], UserClass(name="x", weight_ratio=-0.1, prompts=("a",))),
    ],
)
def test_a_mix_that_nothing_can_be_dealt_from_is_refused(mix: tuple[UserClass, ...]) -> None:
    with pytest.raises(ValueError, match="mix"):
        Dealer(plan(mix=mix).load, 1)


@pytest.mark.parametrize("ratio", [0.0, 1.0])
def test_what_is_not_drawn_is_what_would_have_been_drawn(ratio: float) -> None:
    """One class with one prompt: beside it, a class that is never chosen makes the dealer draw."""
    alone = plan(mix=(UserClass(name="faq", weight_ratio=1.0, prompts=("one",)),), streamed_ratio=ratio).load
    never = UserClass(name="never", weight_ratio=0.0, prompts=("one",))
    drawing = plan(mix=(*alone.mix, never), streamed_ratio=ratio).load
    assert [Dealer(alone, 5).deal(k) for k in range(300)] == [Dealer(drawing, 5).deal(k) for k in range(300)]
