"""Flapping, ramps, staggering and a nemesis: what is written becomes faults on the timeline, the same for one seed."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ConfigurationError
from harness.faults.shrinking import shrink
from harness.model.fault import Fault
from harness.model.fault_radius import blast_radius, most_at_once
from harness.model.plan import Plan, TargetReference
from harness.model.signals import Signals
from harness.model.target import Offer
from harness.scenario import compile_plan, read_scenario

S = 1_000_000_000
TEXT = """
name: composed
title: Composed
load:
  arrivals: {{process: constant, rate: 20/s}}
  mix: {{faq: 100%}}
phases:
  - {{name: steady, kind: steady, for: 10s}}
  - {{name: broken, kind: fault, for: 20s, {broken}}}
objectives:
  - {{error rate: "< 50%"}}
"""
PLACES = ["provider.primary", "links.redis", "links.postgres", "processes.redis", "dependencies.redis"]


@pytest.fixture
def planned(tmp_path: Path):
    def make(broken: str, seed: int = 1) -> Plan:
        path = tmp_path / "s.yaml"
        path.write_text(TEXT.format(broken=broken))
        offer = Offer(
            reference=TargetReference(kind="embedded", name="x"),
            places=frozenset(PLACES),
            signals=Signals(),
            freeze_only=frozenset(),
        )
        return compile_plan(read_scenario(path), offer, run_id="r", seed=seed, planners={})

    return make


def times(faults: tuple[Fault, ...]) -> list[tuple[str, float, float]]:
    return [(fault.id, fault.apply_ns / S, fault.clear_ns / S) for fault in faults]


def test_a_flapping_fault_comes_and_goes_until_its_end(planned):
    plan = planned("faults: [{at: links.redis, kind: down, from: 1s, for: 12s, flap: {broken: 2s, whole: 3s}}]")
    assert times(plan.faults) == [
        ("down-links-redis-1", 11, 13),
        ("down-links-redis-2", 16, 18),
        ("down-links-redis-3", 21, 23),
    ]
    assert len({fault.seed for fault in plan.faults}) == 3


def test_the_last_stretch_of_a_flapping_fault_ends_with_it(planned):
    plan = planned("faults: [{at: links.redis, kind: down, for: 6s, flap: {broken: 2s, whole: 3s}}]")
    assert times(plan.faults) == [("down-links-redis-1", 10, 12), ("down-links-redis-2", 15, 16)]


def test_a_ramp_goes_from_its_own_value_to_the_other_in_steps(planned):
    plan = planned("faults: [{at: links.redis, kind: latency, latency: 100, id: slow, ramp: {to: {latency: 900}, steps: 5}}]")
    assert times(plan.faults) == [(f"slow-{n}", 6 + 4 * n, 10 + 4 * n) for n in range(1, 6)]
    assert [fault.parameters["latency"] for fault in plan.faults] == [100, 300, 500, 700, 900]


def test_staggered_faults_begin_one_after_the_other_and_end_together(planned):
    plan = planned(
        "stagger: 2s, faults: [{at: links.redis, kind: down}, {at: links.postgres, kind: down}, "
        "{at: provider.primary, kind: timeout, from: 1s}]"
    )
    assert [(fault.apply_ns / S, fault.clear_ns / S) for fault in plan.faults] == [(10, 30), (12, 30), (11, 30)]


NEMESIS = (
    "nemesis: {every: 2s, hold: 5s, at_most: 2, draw: [{at: links.redis, kind: down}, {at: links.postgres, kind: down}, "
    "{at: links.postgres, kind: latency, latency: 50}, {at: provider.primary, kind: timeout, expects_action: false}]}"
)


def test_a_nemesis_draws_the_same_for_one_seed_and_another_for_another(planned):
    first, again, other = planned(NEMESIS), planned(NEMESIS), planned(NEMESIS, seed=2)
    assert first.faults == again.faults
    assert [fault.kind for fault in first.faults] != [fault.kind for fault in other.faults] or times(first.faults) != times(
        other.faults
    )
    assert len(first.faults) >= 4
    assert all(fault.clear_ns - fault.apply_ns == 5 * S for fault in first.faults)
    assert {fault.phase for fault in first.faults} == {"broken"}


@given(seed=st.integers(0, 10_000))
def test_a_nemesis_never_breaks_more_at_once_than_it_may(tmp_path_factory, seed):
    path = tmp_path_factory.getbasetemp() / "nemesis.yaml"
    path.write_text(TEXT.format(broken=NEMESIS))
    offer = Offer(reference=TargetReference(kind="embedded", name="x"), places=frozenset(PLACES), signals=Signals())
    plan = compile_plan(read_scenario(path), offer, run_id="r", seed=seed, planners={})  # contradictions would raise
    assert 1 <= most_at_once(plan.faults) <= 2


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("faults: [{at: links.redis, kind: down, flap: {on: 2s, off: 3s}}]", "unknown key 'on'"),
        ("faults: [{at: links.redis, kind: down, flap: {broken: 2s}}]", "needs the key 'whole'"),
        ("faults: [{at: links.redis, kind: down, flap: {broken: 1ms, whole: 1ms}}]", "flap more slowly"),
        ("faults: [{at: links.redis, kind: latency, latency: 9, ramp: {to: {latncy: 5}}}]", "did you mean 'latency'?"),
        ("faults: [{at: links.redis, kind: latency, latency: 9, ramp: {to: {latency: -5}}}]", "at the ramp's end: latency is -5"),
        ("faults: [{at: links.redis, kind: latency, latency: 9, ramp: {to: {jitter: 5}}}]", "give the fault a jitter"),
        (
            "faults: [{at: links.redis, kind: latency, latency: 9, for: 1s, ramp: {to: {latency: 5}, steps: 50}}]",
            "use fewer steps",
        ),
        ("faults: [{at: links.redis, kind: down}, {at: links.redis, kind: down}]", "overlap in time"),
        ("faults: [{at: processes.redis, kind: kill}, {at: dependencies.redis, kind: flush}]", "cannot be told flush while"),
        ("faults: [{at: dependencies.redis, kind: lock}]", "a lock acts at dependencies.postgres"),
        ("nemesis: {every: 2s, hold: 50s, draw: [{at: links.redis, kind: down}]}", "longer than the phase"),
        ("nemesis: {every: 2s, hold: 5s, draw: [{at: links.redis, kind: down, for: 3s}]}", "the nemesis decides"),
        ("nemesis: {every: 1ms, hold: 5s, draw: [{at: links.redis, kind: down}]}", "every is '1ms'; use 100ms or more"),
        ("nemesis: {every: 2s, hold: 5s, at_most: 99, draw: [{at: links.redis, kind: down}]}", "at_most is 99; use 20 or less"),
        ("nemesis: {every: 2s, hold: 5s, draw: []}", "draw has 0 entries; give it 1 or more"),
        ("nemesis: {every: 2s, hold: 5s, draw: [{at: links.rediss, kind: down}]}", "did you mean 'links.redis'?"),
    ],
)
def test_a_composition_that_cannot_be_is_told(planned, broken, told):
    with pytest.raises(ConfigurationError) as caught:
        planned(broken)
    assert told in str(caught.value)


def test_a_fault_that_ends_as_another_begins_contradicts_nothing(planned):
    plan = planned("faults: [{at: links.redis, kind: down, for: 5s}, {at: links.redis, kind: down, from: 5s}]")
    assert most_at_once(plan.faults) == 1


def test_the_blast_radius_counts_and_says_where_nobody_stated_one(planned):
    plan = planned("stagger: 2s, faults: [{at: links.redis, kind: down}, {at: links.postgres, kind: down}]")
    assert blast_radius(plan.faults, None) == [
        "blast radius: 2 fault(s) at links.redis, links.postgres; 2 at once at most, 20 s the longest",
        "  its author states none: `blast_radius` is missing",
    ]
    assert blast_radius((), "all") == []


# -- shrinking ------------------------------------------------------------------------------------------------------


@given(st.sets(st.integers(0, 30), min_size=1, max_size=31), st.data())
def test_what_is_left_of_a_failing_composition_is_just_what_makes_it_fail(parts, data):
    guilty = data.draw(st.sets(st.sampled_from(sorted(parts)), min_size=1, max_size=4))
    left = shrink(sorted(parts), lambda some: guilty <= set(some), at_most=10_000)
    assert set(left) == guilty
    assert list(left) == sorted(left)


def test_shrinking_stops_when_its_tries_are_used_up():
    asked = []

    def fails(some):
        asked.append(some)
        return 7 in some

    left = shrink(range(64), fails, at_most=3)
    assert 7 in left
    assert len(asked) == 3
