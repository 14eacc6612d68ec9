"""A scenario's mistakes are told with file, line, what is allowed and what may have been meant."""

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import ConfigurationError
from harness.extensions.found import plugin_of_file
from harness.model.plan import Plan, TargetReference
from harness.model.signals import Signals
from harness.model.target import Offer
from harness.scenario import compile_plan, read_scenario

OFFER = Offer(
    reference=TargetReference(kind="embedded", name="reference service"),
    places=frozenset({"provider.primary", "provider.secondary", "links.redis", "links.postgres", "processes.worker"}),
    signals=Signals(),
    rate_limit_per_minute=10,
)

GOOD = """\
name: outage
title: An outage
load:
  arrivals: {process: poisson, rate: 20/s}
  mix: {faq: 40%, knowledge: 60%}
  stream: 50%
phases:
  - {name: warmup, kind: warmup, for: 5s}
  - {name: steady, kind: steady, for: 30s}
  - {name: outage, kind: fault, for: 30s, faults: [{at: provider.primary, kind: timeout}]}
  - {name: recovery, kind: recovery, for: 30s}
objectives:
  - {latency: "p95 < 5s", covers: [F5]}
  - {error rate: "< 5%"}
  - {fallback share: "> 95%", during: outage}
  - {recovered within: 10s, after: outage}
  - {spend: "<= 1.2 x planned"}
"""

Compile = Callable[..., Plan]


@pytest.fixture
def compiled(tmp_path: Path) -> Compile:
    def compile_text(text: str, *overrides: str) -> Plan:
        path = tmp_path / "outage.yaml"
        path.write_text(text)
        return compile_plan(read_scenario(path, overrides), OFFER, run_id="r", seed=1, planners={})

    return compile_text


def test_a_good_scenario_becomes_a_plan(compiled: Compile) -> None:
    plan = compiled(GOOD)
    assert [phase.name for phase in plan.phases] == ["warmup", "steady", "outage", "recovery"]
    assert plan.phases[-1].end_ns == 95_000_000_000
    assert [objective.id for objective in plan.objectives] == [
        "latency-p95",
        "error-rate",
        "fallback-share",
        "recovered",
        "spend",
    ]
    assert plan.objectives[0].during == ("steady", "outage", "recovery")
    assert plan.objectives[0].limit == pytest.approx(0.05)
    assert plan.load.principals == 400
    assert plan.planned_requests == 1900
    assert plan.faults[0].apply_ns == 35_000_000_000


def test_an_override_changes_the_plan_and_is_remembered(compiled: Compile) -> None:
    plan = compiled(GOOD, "phases.outage.for=20s")
    assert plan.phase("outage").end_ns == 55_000_000_000
    assert plan.overrides == ("phases.outage.for=20s",)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("kind: timeout", "kind: timeot", "did you mean 'timeout'?"),
        ("at: provider.primary", "at: provider.primry", "did you mean 'provider.primary'?"),
        ("stream: 50%", "streem: 50%", "unknown key 'streem' in load; allowed: arrivals, mix, stream (did you mean 'stream'?)"),
        ("rate: 20/s", "rate: -3/s", "'-3/s' is not a rate"),
        ("rate: 20/s", "rate: 0/s", "is not above 0"),
        ("rate: 20/s", "rate: 20", "20 is not a rate; write a number above 0 per second or minute: 20/s, 600/m"),
        ("for: 30s, faults", "for: 30 parsecs, faults", "is not a duration"),
        ("process: poisson", "process: poison", "is 'poison'; allowed: constant, poisson, ramp, step, spike, sine, replay, closed (did you mean 'poisson'?)"),
        ("process: poisson", "process: ramp", "a ramp process needs `to`"),
        ("faq: 40%", "faq: 30%", "the shares of the mix sum to 0.9"),
        ("faq: 40%", "fak: 40%", "no user class is called 'fak'"),
        ("during: outage", "during: outtage", "no phase is called 'outtage'; there are warmup, steady, outage, recovery (did you mean 'outage'?)"),
        ("during: outage", "during: warmup", "'warmup' is a warm-up: nothing in it is judged"),
        ("after: outage", "after: steady", "recovery follows a fault phase"),
        ("10s, after: outage", "10s", "needs `after`, the fault phase: outage"),
        ("p95 < 5s", "p95 > 5s", "is not a percentile bound; write 'p95 < 5s'"),
        ("< 5%", "< 500%", "is not within 0..1"),
        ("kind: steady, for: 30s", "kind: steady, for: 2s", "latency p95 < 5s cannot be decided in phase 'steady': 40 requests are planned, a pass needs 59"),
        ("<= 1.2 x planned", "1.2 planned", "is not a spending limit"),
        ("name: recovery", "name: steady", "the phase name 'steady' stands twice"),
        ("[{at: provider.primary, kind: timeout}]", "[]", "is of kind fault and has no faults"),
        ("kind: timeout}", "kind: timeout, for: 40s}", "the fault outlasts its phase 'outage'"),
        ("kind: timeout}", "kind: status, only_model: sim-larg}", "the simulated provider has sim-large, sim-small, sim-cheap, sim-backup (did you mean 'sim-large'?)"),
        ("kind: timeout}]", "kind: down}, {at: provider.primary, kind: status}]", "a status at provider.primary could not act on anything while the link is down"),
        ("title: An outage\n", "", "needs the key 'title'"),
        ("name: outage\n", "name: outage\nname: again\n", "the key 'name' stands twice"),
        ("rate: 20/s", "rate: 90000/s", "one run sends at most"),
        ("- {error rate: \"< 5%\"}", "- {covers: [F1]}", "an objective names one quantity"),
        ("- {error rate: \"< 5%\"}", "- 7", "should be a mapping"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_what_to_write(compiled: Compile, old: str, new: str, told: str) -> None:
    assert GOOD.count(old) >= 1
    with pytest.raises(ConfigurationError) as caught:
        compiled(GOOD.replace(old, new, 1))
    text = str(caught.value)
    assert told in text
    assert "outage.yaml:" in text


def test_the_line_is_the_line_of_the_mistake(compiled: Compile) -> None:
    with pytest.raises(ConfigurationError) as caught:
        compiled(GOOD.replace("kind: timeout", "kind: timeot"))
    assert "outage.yaml:10:" in str(caught.value)


def test_all_mistakes_are_told_at_once_and_in_order(compiled: Compile) -> None:
    text = GOOD.replace("rate: 20/s", "rate: x").replace("stream: 50%", "streem: 1").replace("kind: steady", "kind: steddy")
    with pytest.raises(ConfigurationError) as caught:
        compiled(text)
    lines = [int(problem.split("outage.yaml:")[1].split(":")[0]) for problem in caught.value.problems]
    assert lines == sorted(lines)
    assert set(lines) == {4, 6, 9}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "should be a mapping"),
        ("[1, 2]", "should be a mapping"),
        ("name: [", "not valid YAML"),
        ("\t- x", "not valid YAML"),
        ("a: &x [*x]", ""),
        ("{" * 100 + "}" * 100, ""),
        ("? [a]\n: 1", "a key must be plain text"),
        ("!!python/object/apply:os.system ['true']", ""),
    ],
)
def test_rubbish_is_refused_without_a_traceback(compiled: Compile, text: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        compiled(text)
    assert told in str(caught.value)


def test_a_page_of_aliases_of_aliases_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]  # a thousand million values
    (tmp_path / "bomb.yaml").write_text("\n".join(levels))
    with pytest.raises(ConfigurationError, match=r"bomb.yaml:\d+:\d+: more than 200,000 values, with what its aliases repeat"):
        read_scenario(tmp_path / "bomb.yaml")


def test_a_link_to_what_has_no_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "endless.yaml").symlink_to("/dev/zero")
    with pytest.raises(ConfigurationError, match="larger than 1 MiB"):
        read_scenario(tmp_path / "endless.yaml")
    (tmp_path / "ours.py").symlink_to("/dev/zero")
    with pytest.raises(ConfigurationError, match="larger than 1 MiB"):
        plugin_of_file(tmp_path, "./ours.py", imports=False)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "outage.yaml"
    path.write_bytes(b"name: \xff\xfe")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        read_scenario(path)


@pytest.mark.parametrize("override", ["phases", "=3", "phases.outtage.for=3s", "load.nothing.here=1", "name.deeper=1"])
def test_an_override_that_names_nothing_is_refused(compiled: Compile, override: str) -> None:
    with pytest.raises(ConfigurationError):
        compiled(GOOD, override)


@pytest.mark.parametrize("word", ["on", "off", "yes", "no"])
def test_words_that_older_yaml_reads_as_booleans_stay_words(compiled: Compile, word: str) -> None:
    assert compiled(GOOD.replace("title: An outage", f"title: {word}")).scenario.title == word
