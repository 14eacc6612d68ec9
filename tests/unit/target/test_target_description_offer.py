"""A scenario that a described target has nothing for is refused with the key that is missing; limits bind the plan."""

import json
from pathlib import Path

import pytest

from harness.checks import PLANNERS
from harness.errors import ConfigurationError
from harness.model.plan import Plan
from harness.run.session import RunRequest, plan_all
from harness.scenario import compile_plan, find_scenario, read_scenario
from harness.scenario.bundles import read_bundle
from harness.target.description import read_description
from harness.target.embedded import EmbeddedTarget
from harness.target.external import ExternalTarget

ROOT = Path(__file__).parents[3]

TARGET = """\
name: gateway
base_url: http://127.0.0.1:${port}
start: {command: [run]}
provider: {endpoints: {primary: {listen: auto}, secondary: {listen: auto}}}
links: {redis: {upstream: "127.0.0.1:6379"}}
processes: {redis: {pid_file: redis.pid}}
provision: {post: /keys, body: {cap: "${cap_usd}"}, key: $.key}
models: {normal: gpt, sim-large: gpt}
correlate: [{prompt_tag: true}]
"""


def _plan(tmp_path: Path, target: str = TARGET, *overrides: str, scenario: str = "provider-outage") -> Plan:
    path = tmp_path / "target.yaml"
    path.write_text(target)
    offer = ExternalTarget(read_description(path)).offer()
    return compile_plan(read_scenario(find_scenario(scenario), overrides), offer, run_id="r", seed=1, planners=PLANNERS)


def _refused(tmp_path: Path, target: str, *overrides: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        _plan(tmp_path, target, *overrides)
    return str(caught.value)


def test_the_catalogue_s_outage_fits_a_target_that_has_what_it_needs(tmp_path: Path) -> None:
    plan = _plan(tmp_path)
    assert plan.target.kind == "external"
    assert {part.model for part in plan.load.mix} == {"gpt"}


def test_prompts_carry_the_tag_that_joins_them_in_the_mix_and_in_bursts(tmp_path: Path) -> None:
    plan = _plan(tmp_path)
    prompts = [prompt for part in plan.load.mix for prompt in part.prompts]
    prompts += [prompt for burst in plan.load.bursts for prompt in burst.user_class.prompts]
    assert all(prompt.startswith("[hs:{n}] ") for prompt in prompts)


@pytest.mark.parametrize(
    ("removed", "key"),
    [
        ("provider: {endpoints: {primary: {listen: auto}, secondary: {listen: auto}}}\n", "`provider.endpoints.primary`"),
        ('body: {cap: "${cap_usd}"}, ', "`provision` with `${cap_usd}`"),
        (", sim-large: gpt", "`models.sim-large`"),
    ],
)
def test_what_is_missing_is_named_by_its_key(tmp_path: Path, removed: str, key: str) -> None:
    told = _refused(tmp_path, TARGET.replace(removed, ""))
    assert f"description has no {key}" in told
    assert "provider-outage.yaml:" in told


def test_a_target_that_tells_nothing_and_meters_nothing_cannot_be_judged_on_fallback(tmp_path: Path) -> None:
    target = TARGET.replace("provider: {endpoints: {primary: {listen: auto}, secondary: {listen: auto}}}\n", "")
    told = _refused(tmp_path, target)
    assert "description has neither `provider` nor `signals.fallback`" in told
    assert "description has neither `provider` nor `signals.cost`" in told


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        ("{rate_rps: 5}", "20/s is above `limits.rate_rps` of the target's description, 5"),
        ("{requests: 100}", "above `limits.requests` of the target's description, 100"),
        ("{spend_usd: 0.01}", "above `limits.spend_usd` of the target's description, $0.01"),
        ("{concurrency: 39}", "a burst of 40 at once is above `limits.concurrency` of the target's description, 39"),
        ("{faults: [links.*]}", "`limits.faults` of the target's description does not allow faults at provider.primary"),
    ],
)
def test_a_plan_beyond_the_limits_is_refused_with_both_figures(tmp_path: Path, limits: str, sentence: str) -> None:
    assert sentence in _refused(tmp_path, TARGET + f"limits: {limits}\n")


@pytest.mark.parametrize(("kind", "allowed"), [("kill", False), ("terminate", False), ("freeze", True)])
def test_a_process_that_nothing_starts_again_is_frozen_only(tmp_path: Path, kind: str, allowed: bool) -> None:
    fault = f"phases.outage.faults=[{{at: processes.redis, kind: {kind}}}]"
    if allowed:
        assert _plan(tmp_path, TARGET, fault).faults[0].kind == kind
    else:
        assert "the target's description has no `processes.redis.start`; use freeze" in _refused(tmp_path, TARGET, fault)


def test_a_unit_is_started_again_by_systemd_and_may_be_ended(tmp_path: Path) -> None:
    by_unit = TARGET.replace("pid_file: redis.pid", "unit: redis.service")
    assert by_unit != TARGET
    fault = "phases.outage.faults=[{at: processes.redis, kind: kill}]"
    assert _plan(tmp_path, by_unit, fault).faults[0].kind == "kill"


def test_a_fault_in_what_a_real_model_says_is_refused_and_one_in_how_it_comes_is_not(tmp_path: Path) -> None:
    upstream = '{upstream: {url: "http://127.0.0.1:1/v1", key: "${env:K}"}}'
    target = TARGET.replace("primary: {listen: auto}", f"primary: {upstream}")
    target += "budget: {prices: {gpt: {input_usd_per_mtok: 30, output_usd_per_mtok: 150}}}\nlimits: {spend_usd: 100}\n"
    told = _refused(tmp_path, target, "phases.outage.faults=[{at: provider.primary, kind: wrong_usage}]")
    assert "provider.primary passes calls on to a real provider (`upstream`)" in told
    plan = _plan(tmp_path, target, "phases.outage.faults=[{at: provider.primary, kind: cut}]")
    assert plan.faults[0].kind == "cut"
    assert plan.planned_cost_usd == pytest.approx(10 * _plan(tmp_path).planned_cost_usd)  # by the prices that it tells


def test_canaries_are_in_every_run_of_a_target_that_promises_to_refuse_them_and_in_no_other(tmp_path: Path) -> None:
    promises = "canaries: true\nrefusals: {guard: [{status: [400]}]}\n"
    assert [check.name for check in _plan(tmp_path, TARGET + promises).checks if check.not_offered is None] == [
        "budget cap",
        "guard bypass",
    ]
    assert [check.name for check in _plan(tmp_path).checks if check.not_offered is None] == ["budget cap"]


OF_ITS_OWN = {"alerts", "dashboards", "balancer"} | {
    "authentication", "key rotation", "messages once", "personal data", "audit log", "audit kept", "cache", "retrieval", "feature flags",
}  # fmt: skip
"""What asks for files, paths or programs by the service's own names: the description of a stranger does not tell them all."""


def test_the_gate_asks_the_reference_service_as_a_stranger_what_it_asks_its_own_adapter() -> None:
    stranger = ExternalTarget(read_description(ROOT / "examples/targets/reference/target.yaml"))
    requests = [
        RunRequest(scenario=row.file, target=stranger, instead=row.parts, reference_only=row.reference_only)
        for row in read_bundle("gate").rows
    ]
    _, plans, left_out = plan_all(requests, "gate", say=lambda _: None)
    named = {"gate-guards", "provider-outage", "gate-provider", "gate-stores", "service-killed", "worker-killed"}
    assert {plan.scenario.name for plan in plans} == named
    assert {part.scenario for part in left_out} == {"books", "gate-operations, as one", "rolling-restart", "backup-drill"}
    not_asked = set()
    for foreign in plans:
        scenario = next(
            f for row in read_bundle("gate").rows for f in (row.file, *row.parts) if f.document.name == foreign.scenario.name
        )
        own = compile_plan(scenario, EmbeddedTarget().offer(), run_id="r", seed=1, planners=PLANNERS)
        assert foreign.phases == own.phases
        assert foreign.faults == own.faults
        assert foreign.objectives == own.objectives
        assert foreign.load == own.load
        asked = [check for check in foreign.checks if check.not_offered is None]
        assert asked == [check for check in own.checks if check in asked]
        not_asked |= {check.name for check in own.checks} - {check.name for check in asked}
        ids = {check.id for check in asked}
        assert [probe for probe in foreign.probes if probe.check_id in ids] == [p for p in own.probes if p.check_id in ids]
    assert not_asked == OF_ITS_OWN


def test_a_check_names_the_target_s_own_model_when_it_asks(tmp_path: Path) -> None:
    plan = _plan(tmp_path, TARGET, "checks=[{check: shared answers, during: steady}]")
    assert {json.loads(probe.body or "{}")["model"] for probe in plan.probes} == {"gpt"}


def test_two_users_who_would_have_one_key_are_no_two_users(tmp_path: Path) -> None:
    one = TARGET.replace('provision: {post: /keys, body: {cap: "${cap_usd}"}, key: $.key}', 'principals: {a: {key: "${env:A}"}}')
    (check,) = _plan(tmp_path, one, "checks=[{check: shared answers, during: steady}]").checks
    assert check.not_offered == "the target's description has no `provision`"
    two = one.replace("principals: {", 'principals: {b: {key: "${env:B}"}, ')
    (check,) = _plan(tmp_path, two, "checks=[{check: shared answers, during: steady}]").checks
    assert check.not_offered is None
