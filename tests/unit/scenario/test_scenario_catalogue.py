"""Every scenario of the catalogue and every bundle can be planned on the embedded target, within its time."""

import pytest
from scipy.stats import poisson

from harness.checks import PLANNERS
from harness.errors import ConfigurationError
from harness.model.objective import Kind, Quantity
from harness.scenario import compile_plan, read_scenario
from harness.scenario.bundles import bundle_names, read_bundle
from harness.scenario.catalogue import catalogue_paths
from harness.scenario.samples import Timeline, planned_samples
from harness.stats import smallest_n_to_pass
from harness.target.embedded import EmbeddedTarget

STACK_S = 15  # start, stop and report of one scenario


@pytest.mark.parametrize("name", catalogue_paths())
def test_a_scenario_can_be_planned_says_why_and_covers_something(name: str) -> None:
    file = read_scenario(catalogue_paths()[name])
    plan = compile_plan(file, EmbeddedTarget().offer(), run_id="r", seed=1, planners=PLANNERS)
    assert plan.scenario.name == name
    assert plan.scenario.hypothesis
    assert plan.scenario.blast_radius
    assert any(part.covers for part in (*plan.objectives, *plan.checks))
    assert "harness run " + name in catalogue_paths()[name].read_text(encoding="utf-8").splitlines()[0]


@pytest.mark.parametrize(("bundle", "within_s"), [("smoke", 120), ("gate", 600)])
def test_a_bundle_fits_its_time(bundle: str, within_s: float) -> None:
    plans = [
        compile_plan(file, EmbeddedTarget().offer(), run_id="r", seed=1, planners=PLANNERS) for file in read_bundle(bundle).files
    ]
    assert sum(plan.end_ns / 1e9 + STACK_S for plan in plans) < within_s


@pytest.mark.parametrize("bundle", ["smoke", "gate", "full"])
def test_of_a_healthy_service_fewer_than_one_run_in_a_hundred_has_too_few_requests_for_an_objective(bundle: str) -> None:
    """What is planned is a mean: a seed brings fewer, and too few of them leave an objective undecided without any failure."""
    for file in read_bundle(bundle).files:
        plan = compile_plan(file, EmbeddedTarget().offer(), run_id="r", seed=1, planners=PLANNERS)
        timeline = Timeline.of(plan)
        for objective in plan.objectives:
            if objective.kind is not Kind.RATIO or objective.quantity is Quantity.REFUSAL_LATENCY:
                continue
            needed = smallest_n_to_pass(objective.bad_limit)
            assert needed is not None
            for name in objective.during:
                planned = planned_samples(objective, plan.phase(name), timeline)
                assert poisson.cdf(needed - 1, planned) < 0.01, (plan.scenario.name, objective.id, name, planned, needed)


def test_the_full_bundle_holds_every_scenario_but_those_that_stand_for_several() -> None:
    assert set(bundle_names()) == {"smoke", "gate", "full"}
    standing = {row.file.document.name for row in read_bundle("gate").rows if row.parts}
    full = {file.document.name for file in read_bundle("full").files}
    assert full == set(catalogue_paths()) - standing
    assert full >= {part.document.name for row in read_bundle("gate").rows for part in row.parts}


def test_an_unknown_bundle_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'smoke'"):
        read_bundle("smok")
