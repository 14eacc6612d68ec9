"""What a plan cannot decide is refused before anything starts, counted as the judge counts, with the duration that would do."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import ConfigurationError
from harness.model.plan import Plan, TargetReference
from harness.model.signals import Signals
from harness.model.target import Offer
from harness.scenario import compile_plan, read_scenario

OFFER = Offer(
    reference=TargetReference(kind="embedded", name="x"),
    places=frozenset({"provider.primary", "links.redis"}),
    signals=Signals(),
)
TOP = """\
name: x
title: x
load: {{arrivals: {arrivals}, mix: {{faq: 50%, knowledge: 50%}}, stream: 50%}}
phases:
  - {{name: steady, kind: steady, for: 100s}}
  - {{name: broken, kind: fault, for: {length}, {faults}}}
  - {{name: recovery, kind: recovery, for: {recovery}}}
objectives:
  - {{error rate: "< 50%", during: steady}}
  - {{{objective}}}
"""
TEN_A_SECOND = "{process: constant, rate: 10/s}"
DOWN = "at: links.redis, kind: down"
FIVE_PER_CENT = 'error rate: "< 5%", during: broken'  # 59 requests

Planned = Callable[..., Plan]


@pytest.fixture
def planned(tmp_path: Path) -> Planned:
    def plan(
        faults: str,
        length: str,
        *,
        objective: str = FIVE_PER_CENT,
        recovery: str = "30s",
        arrivals: str = TEN_A_SECOND,
        seed: int = 1,
    ) -> Plan:
        file = tmp_path / "x.yaml"
        file.write_text(TOP.format(faults=faults, length=length, objective=objective, recovery=recovery, arrivals=arrivals))
        return compile_plan(read_scenario(file), OFFER, run_id="r", seed=seed, planners={})

    return plan


def refusal(planned: Planned, *given: str, **more: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        planned(*given, **more)
    assert len(caught.value.problems) == 1, caught.value.problems
    return str(caught.value)


@pytest.mark.parametrize(
    ("faults", "enough", "too_short", "counted", "named"),
    [
        (f"faults: [{{{DOWN}}}]", "6s", "5s", "50 requests are planned, a pass", 6),
        (f"faults: [{{{DOWN}, from: 3s}}]", "9s", "8s", "50 requests are planned in the 5 s for which its faults are on", 9),
        (f"stagger: 2s, faults: [{{{DOWN}, from: 4s}}, {{at: provider.primary, kind: status}}]", "8s", "7s", "50 requests", 8),
        (f"faults: [{{{DOWN}, flap: {{broken: 2s, whole: 3s}}}}]", "12s", "11s", "50 requests are planned in the 5 s", 12),
        (f"faults: [{{{DOWN}, for: 2s}}, {{{DOWN}, from: 6s}}]", "10s", "9s", "50 requests are planned in the 5 s", 10),
        ("nemesis: {every: 10s, hold: 2s, draw: [{at: links.redis, kind: down}]}", "22s", "19s", "40 requests", 22),
    ],
)
def test_a_phase_with_faults_counts_what_falls_due_while_they_are_on(
    planned: Planned, faults: str, enough: str, too_short: str, counted: str, named: int
) -> None:
    assert planned(faults, enough).phase("broken").name == "broken"
    text = refusal(planned, faults, too_short)
    assert counted in text
    assert text.endswith(f"make phase 'broken' at least {named}s long or raise the rate")
    planned(faults, f"{named}s")
    with pytest.raises(ConfigurationError):
        planned(faults, f"{named - 1}s")


def test_a_fault_that_is_over_long_before_its_phase_is_to_stay_longer(planned: Planned) -> None:
    text = refusal(planned, f"faults: [{{{DOWN}, from: 1s, for: 3s}}]", "60s")
    assert "30 requests are planned in the 3 s for which its faults are on, a pass needs 59" in text
    assert text.endswith("make its fault at least `for: 6s`, or raise the rate")
    planned(f"faults: [{{{DOWN}, from: 1s, for: 6s}}]", "60s")
    text = refusal(planned, f"faults: [{{{DOWN}, from: 1s, for: 3s}}]", "5s")
    assert text.endswith("make its fault at least `for: 6s` and phase 'broken' 7s long, or raise the rate")
    planned(f"faults: [{{{DOWN}, from: 1s, for: 6s}}]", "7s")
    with pytest.raises(ConfigurationError):
        planned(f"faults: [{{{DOWN}, from: 1s, for: 5s}}]", "7s")


def test_where_no_length_would_do_none_is_named(planned: Planned) -> None:
    two = f"faults: [{{{DOWN}, for: 1s}}, {{{DOWN}, from: 3s, for: 1s}}]"
    assert refusal(planned, two, "60s").endswith("a phase of six hours would not do either: raise the rate")


def test_what_only_streams_show_is_counted_over_streams(planned: Planned) -> None:
    whole = f"faults: [{{{DOWN}}}]"
    assert "50 requests are planned, a pass needs 59" in refusal(
        planned, whole, "10s", objective='silent breakage: "< 5%", during: broken'
    )
    planned(whole, "12s", objective='silent breakage: "< 5%", during: broken')


def test_a_burn_rate_needs_its_long_window_in_the_phase_and_twenty_requests_in_the_short_one(planned: Planned) -> None:
    fault = f"faults: [{{{DOWN}, from: 5s}}]"  # the whole phase is looked at, faults or not
    burn = 'error budget burn: "< 14.4 over 30s and 5s of 99.9%", during: broken'
    planned(fault, "30s", objective=burn)
    text = refusal(planned, fault, "29s", objective=burn)
    assert "no moment has 30 s of the phase behind it, and 20 planned requests in that window and in the last 5 s" in text
    assert text.endswith("make phase 'broken' at least 30s long or raise the rate")
    slow = "{process: constant, rate: 3/s}"
    assert refusal(planned, fault, "60s", objective=burn, arrivals=slow).endswith("six hours would not do either: raise the rate")


def test_a_recovery_needs_three_windows_before_the_next_fault(planned: Planned) -> None:
    fault = f"faults: [{{{DOWN}}}]"
    recovered = "recovered within: 10s, after: broken"
    planned(fault, "10s", objective=recovered, recovery="6s")
    text = refusal(planned, fault, "10s", objective=recovered, recovery="5s")
    assert "50 requests are planned in the 5 s to the next fault or the end, 3 good windows need 60 in 3 s" in text
    assert text.endswith("make phase 'recovery' at least 6s long or raise the rate")
    # A fault that is over before its phase leaves the rest of the phase to look at.
    planned(f"faults: [{{{DOWN}, for: 6s}}]", "10s", objective=recovered, recovery="2s")
    fast = "{process: constant, rate: 100/s}"
    assert "make phase 'recovery' at least 3s long" in refusal(
        planned, fault, "10s", objective=recovered, recovery="2s", arrivals=fast
    )


def test_the_longest_wait_is_of_everybody_who_began_in_the_phase(planned: Planned) -> None:
    wait = "longest wait: 6s, during: broken"
    fault = f"faults: [{{{DOWN}, from: 500ms}}]"
    slow = "{process: ramp, rate: 1/s, to: 1/s}"
    planned(fault, "1s", objective=wait, arrivals=slow)
    assert "0 requests are planned, a pass needs 1; make phase 'broken' at least 1s long" in refusal(
        planned, fault, "900ms", objective=wait, arrivals=slow
    )


def test_a_shape_of_arrivals_is_counted_where_it_lies(planned: Planned) -> None:
    late = f"faults: [{{{DOWN}, from: 6s}}]"
    early = f"faults: [{{{DOWN}, for: 4s}}]"
    spike = "{process: spike, rate: 1/s, to: 100/s, at: 6s, peak: 1s}"
    planned(late, "10s", arrivals=spike)
    text = refusal(planned, early, "10s", arrivals=spike)
    assert "4 requests are planned in the 4 s for which its faults are on" in text
    assert int(re.findall(r"`for: (\d+)s`", text)[0]) == 7  # six seconds of one, and a part of the spike
    planned(f"faults: [{{{DOWN}, for: 7s}}]", "10s", arrivals=spike)
