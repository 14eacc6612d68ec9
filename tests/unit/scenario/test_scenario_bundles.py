"""A bundle: whether its scenarios share a stack, what runs in a scenario's place, and which planted defects it must catch."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.checks import PLANNERS
from harness.errors import ConfigurationError
from harness.scenario import bundles, compile_plan
from harness.scenario.bundle_catchers import catchers_of
from harness.scenario.bundles import Bundle, read_bundle
from harness.scenario.catchers import CATCHERS, chosen, uncaught_of
from harness.target.embedded import EmbeddedTarget
from reference_service.defects import DEFECTS


@pytest.mark.parametrize(("name", "shares"), [("smoke", True), ("gate", True), ("full", False)])
def test_the_bundles_that_have_a_time_to_keep_share_a_stack(name: str, shares: bool) -> None:
    assert read_bundle(name).one_stack is shares


def test_the_gate_catches_nine_of_ten_planted_defects_and_names_the_rest() -> None:
    caught = catchers_of(read_bundle("gate"))
    assert len({catcher.defect for catcher in caught}) == len(caught)
    assert len(caught) >= 0.9 * len(DEFECTS)
    assert {catcher.defect for catcher in caught} | set(uncaught_of(DEFECTS, caught)) == set(DEFECTS)


@pytest.mark.parametrize("row", read_bundle("gate").rows, ids=lambda row: row.file.document.name)
def test_each_scenario_of_the_gate_has_the_results_of_all_that_it_stands_for(row) -> None:  # type: ignore[no-untyped-def]
    plan = compile_plan(row.file, EmbeddedTarget().offer(), run_id="r", seed=1, planners=PLANNERS)
    asked = {part.id for part in (*plan.objectives, *(check for check in plan.checks if check.not_offered is None))}
    mine = catchers_of(Bundle(name="one", one_stack=True, rows=(row,)))
    assert mine
    for catcher in mine:
        assert catcher.scenario == plan.scenario.name
        assert set(catcher.results) <= asked, catcher.defect


def test_a_scenario_that_stands_for_others_covers_what_they_cover() -> None:
    for row in read_bundle("gate").rows:
        mine, theirs = covered(row.file), set().union(*(covered(part) for part in row.parts))
        assert theirs <= mine, (row.file.document.name, sorted(theirs - mine))


def covered(file) -> set[str]:  # type: ignore[no-untyped-def]
    plan = compile_plan(file, EmbeddedTarget().offer(), run_id="r", seed=1, planners=PLANNERS)
    return {row for part in (*plan.objectives, *plan.checks) for row in part.covers}


def test_what_is_shortened_otherwise_or_takes_a_setting_is_not_said_to_be_caught() -> None:
    gate = read_bundle("gate")
    whole = {catcher.defect for catcher in catchers_of(gate)}
    longer = [replace(row, file=replace(row.file, overrides=())) if not row.parts else row for row in gate.rows]
    assert whole - {catcher.defect for catcher in catchers_of(replace(gate, rows=tuple(longer)))} == {
        catcher.defect for catcher in CATCHERS if catcher.scenario == "provider-outage"
    }
    assert not whole & {catcher.defect for catcher in CATCHERS if catcher.settings}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("one_stack: true\nscenarios: []\n", "scenarios"),
        ("one_stack: perhaps\nscenarios: [{scenario: limits}]\n", "one_stack"),
        ("scenarios: [{scenario: limits, for: 3s}]\n", r"scenarios\.0\.for"),
        ("scenarios: [{scenario: limits, parts: [limitz]}]\n", "limits"),
        ("- {scenario: limits}\n", "dictionary"),
    ],
)
def test_a_bundle_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, says: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    monkeypatch.setattr(bundles, "_paths", lambda: {"mine": path})
    with pytest.raises(ConfigurationError, match=says):
        read_bundle("mine")


def test_the_gate_of_a_bundle_is_asked_for_what_is_its_own() -> None:
    with pytest.raises(ConfigurationError, match="no scenario is known to catch 'canary-sticks'"):
        chosen(("canary-sticks",), everything=False, among=catchers_of(read_bundle("gate")))
    (one,) = chosen(("retry-storm",), everything=False, among=catchers_of(read_bundle("gate")))
    assert (one.scenario, one.results) == ("gate-provider", ("retry-amplification",))
