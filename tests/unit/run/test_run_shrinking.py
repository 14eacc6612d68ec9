"""A failing scenario is run with ever fewer faults; what cannot be judged never counts as failing."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from test_run_timeline import PLAN

from harness.errors import ConfigurationError, StackError
from harness.model.judgement import Status
from harness.run import shrinking


@pytest.fixture
def runs(monkeypatch):
    """Pretend to run: fails where both `one` and `three` are there, is invalid where `two` is alone."""
    told: list[tuple[frozenset[str], Path]] = []
    plan = replace(PLAN, faults=(*PLAN.faults, replace(PLAN.faults[0], id="four")))

    def run_scenario(request, **_):
        told.append((request.only_faults, request.out))
        if request.only_faults == {"broken stack"}:
            return SimpleNamespace(trouble=StackError("x"), verdict=None)
        status = Status.FAIL if request.only_faults >= {"one", "three"} else Status.INVALID
        return SimpleNamespace(trouble=None, verdict=SimpleNamespace(verdict=status))

    monkeypatch.setattr(shrinking, "run_scenario", run_scenario)
    monkeypatch.setattr(shrinking, "plan_scenario", lambda _request: plan)
    return told


def shrunk(tmp_path: Path, at_most: int = 50) -> list[str]:
    from harness.run.session import RunRequest

    request = RunRequest(scenario=SimpleNamespace(path=Path("s.yaml")), target=None, out=tmp_path)  # type: ignore[arg-type]
    found = shrinking.fewest_faults(request, interruption=None, view=None, say=lambda _: None, at_most=at_most)  # type: ignore[arg-type]
    return [fault.id for fault in found]


def test_what_is_left_is_what_makes_it_fail_and_each_run_has_a_directory_of_its_own(runs, tmp_path):
    assert shrunk(tmp_path) == ["one", "three"]
    assert runs[0][0] == {"one", "two", "three", "four"}
    assert len({out for _, out in runs}) == len(runs)


def test_a_scenario_that_does_not_fail_is_not_shrunk(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(shrinking, "plan_scenario", lambda _request: replace(PLAN, faults=PLAN.faults[:1]))
    with pytest.raises(ConfigurationError, match="does not fail with all its faults"):
        shrunk(tmp_path)


def test_trouble_of_our_own_ends_the_shrinking(runs, tmp_path, monkeypatch):
    broken = replace(PLAN, faults=(replace(PLAN.faults[0], id="broken stack"),))
    monkeypatch.setattr(shrinking, "plan_scenario", lambda _request: broken)
    with pytest.raises(StackError):
        shrunk(tmp_path)
