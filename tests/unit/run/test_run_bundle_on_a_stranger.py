"""A bundle on a target that lacks something: what does not apply is named with the missing key, and nothing else is forgiven."""

from pathlib import Path

import pytest

from harness.errors import ConfigurationError, NotOfferedError
from harness.run.session import RunRequest, plan_all, write_run_index
from harness.scenario import find_scenario, read_scenario
from harness.scenario.bundles import read_bundle
from harness.target.description import read_description
from harness.target.external import ExternalTarget

GATEWAY = """\
name: gateway
base_url: http://127.0.0.1:${port}
start: {command: [run]}
provider: {endpoints: {primary: {listen: auto}}}
models: {normal: gpt}
principals: {a: {key: "${env:K}"}}
correlate: [{prompt_tag: true}]
"""


def _target(tmp_path: Path, text: str = GATEWAY) -> ExternalTarget:
    path = tmp_path / "target.yaml"
    path.write_text(text)
    return ExternalTarget(read_description(path))


def _gate(tmp_path: Path, text: str = GATEWAY) -> list[RunRequest]:
    return [
        RunRequest(
            scenario=row.file,
            target=_target(tmp_path, text),
            out=tmp_path / f"{number:02d}-{row.file.document.name}",
            instead=row.parts,
            reference_only=row.reference_only,
        )
        for number, row in enumerate(read_bundle("gate").rows, start=1)
    ]


def test_what_a_target_has_nothing_for_is_named_with_the_missing_key_and_the_rest_runs(tmp_path: Path) -> None:
    said: list[str] = []
    kept, plans, left_out = plan_all(_gate(tmp_path), "gate", say=said.append)
    assert [plan.scenario.name for plan in plans] == [
        "steady-load", "provider-outage", "provider-refuses", "cut-streams", "endless-streams", "flaky-provider",
    ]  # fmt: skip
    assert plans[1].checks == ()
    assert [request.scenario.document.name for request in kept] == [plan.scenario.name for plan in plans]
    reasons = {part.scenario: "\n".join(part.reasons) for part in left_out}
    assert "`provision` with `${cap_usd}`" in reasons["provider-outage, its checks"]
    assert "`rate_limit_per_minute`" in reasons["limits"]
    assert "`provision` with `${cap_usd}`" in reasons["limits"]
    assert "`refusals.guard`" in reasons["injection-under-load"]
    assert "`links.redis`" in reasons["valkey-down"]
    assert "`processes.postgres`" in reasons["postgres-frozen"]
    assert "`processes.service-b`" in reasons["service-killed"]
    assert "nobody here knows how" in reasons["rolling-restart"]
    assert "reference service" in reasons["books"]
    assert all(line.startswith("not applicable: ") for line in said)
    assert len(said) == len(left_out)


def test_what_stands_for_several_is_replaced_by_them_each_in_a_directory_of_its_own(tmp_path: Path) -> None:
    kept, _, left_out = plan_all(_gate(tmp_path), "gate", say=lambda _: None)
    reasons = {part.scenario: part.reasons for part in left_out}
    assert reasons["gate-guards, as one"] == ("in its place: guards, limits, steady-load, injection-under-load",)
    places = [request.out.name for request in kept if request.out is not None]
    assert places == [
        "01-steady-load", "03-provider-outage", "04-provider-refuses", "04-cut-streams", "04-endless-streams", "04-flaky-provider",
    ]  # fmt: skip


def test_a_scenario_that_was_named_is_refused_as_before(tmp_path: Path) -> None:
    request = RunRequest(scenario=read_scenario(find_scenario("valkey-down")), target=_target(tmp_path))
    with pytest.raises(NotOfferedError, match=r"`links\.redis`"):
        plan_all([request], None, say=lambda _: None)


def test_a_mistake_beside_what_is_missing_is_not_forgiven_to_a_bundle(tmp_path: Path) -> None:
    broken = read_scenario(find_scenario("valkey-down"), ["phases.without.for=1s"])  # too short to decide anything
    with pytest.raises(ConfigurationError) as caught:
        plan_all([RunRequest(scenario=broken, target=_target(tmp_path))], "gate", say=lambda _: None)
    assert not isinstance(caught.value, NotOfferedError)


def test_a_bundle_of_which_nothing_applies_is_no_pass(tmp_path: Path) -> None:
    nothing = GATEWAY + "limits: {rate_rps: 1}\n"
    with pytest.raises(NotOfferedError, match="nothing in the bundle gate applies"):
        plan_all(_gate(tmp_path, nothing), "gate", say=lambda _: None)


def test_the_index_of_the_run_names_what_did_not_apply(tmp_path: Path) -> None:
    _, _, left_out = plan_all(_gate(tmp_path), "gate", say=lambda _: None)
    write_run_index(tmp_path, [], left_out)
    text = (tmp_path / "run.json").read_text()
    assert '"not_applicable"' in text
    assert "`rate_limit_per_minute`" in text
