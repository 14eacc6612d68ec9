"""OpenSLO out and in: what goes out comes back as the same objective, and what cannot be meant is said with its line."""

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from harness import api
from harness.cli.commands.openslo import command
from harness.errors import ConfigurationError
from harness.export import objectives_from_openslo, openslo_of, read_openslo
from harness.scenario.objectives import parse_explicit

SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: answers-in-time
  annotations:
    harness/measure: latency
    harness/threshold: 5s
spec:
  service: chat
  objectives:
    - target: 0.95
"""


def read(tmp_path: Path, text: str) -> list[dict[str, object]]:
    path = tmp_path / "slo.yaml"
    path.write_text(text)
    return objectives_from_openslo(read_openslo(path))


def test_what_goes_out_comes_back_as_the_same_objective(tmp_path: Path):
    plan = api.plan("provider-outage")
    back = read(tmp_path, yaml.safe_dump_all(openslo_of(plan)))
    asked = {each.id: each for each in plan.objectives}
    from harness.model.objective import Quantity
    from harness.model.units import parse_duration_ns

    forms = [
        parse_explicit(
            Quantity(each["measure"]),
            parse_duration_ns(each["threshold"]) if "threshold" in each else None,
            each.get("at_most"),
            each.get("at_least"),
        )
        for each in back
    ]
    assert [(f.quantity, f.op, f.limit, f.threshold_ns) for f in forms] == [
        (o.quantity, o.op, pytest.approx(o.limit), o.threshold_ns) for o in (asked["latency-p95"], asked["error-rate"])
    ]


def test_only_what_the_exported_metrics_can_count_goes_out():
    names = {each["metadata"]["name"] for each in openslo_of(api.plan("provider-outage")) if each["kind"] == "SLO"}
    assert names == {"provider-outage-latency-p95", "provider-outage-error-rate"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (SLO, [{"measure": "latency", "threshold": "5s", "at_most": "5%"}]),
        (
            SLO.replace("latency\n    harness/threshold: 5s", "availability").replace("target: 0.95", "targetPercent: 99.9"),
            [{"measure": "availability", "at_least": "99.9%"}],
        ),
        (
            "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: chat}\nspec: {}\n---\n" + SLO,
            [{"measure": "latency", "threshold": "5s", "at_most": "5%"}],
        ),
    ],
)
def test_an_slo_is_an_objective_in_its_explicit_form(tmp_path: Path, text: str, found: list[dict[str, str]]):
    assert read(tmp_path, text) == found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            SLO.replace("latency", "latencie"),
            r"slo.yaml:\d+:\d+: the annotation harness/measure is 'latencie'.*did you mean 'latency'",
        ),
        (SLO.replace("    harness/measure: latency\n", ""), "harness/measure is None; name what is measured"),
        (SLO.replace("    harness/threshold: 5s\n", ""), "harness/threshold belongs to a time"),
        (SLO.replace("5s", "fast"), r"slo.yaml:7:24: .*fast"),
        (SLO.replace("0.95", "95"), "slo.yaml:11:7: target is 95"),
        (SLO.replace("target: 0.95", "target: true"), "target is True"),
        (SLO.replace("v1", "v1alpha"), "slo.yaml:1:13: apiVersion is 'openslo/v1alpha'; allowed: openslo/v1"),
        (SLO.replace("kind: SLO", "kind: SLI"), "no document of kind SLO"),
        ("- a list\n", "it is no mapping"),
        ("a: [", "not valid YAML"),
        ("apiVersion: openslo/v1\n---\n" + SLO.replace("0.95", "2"), "slo.yaml:13:7: target is 2"),
    ],
)
def test_what_cannot_be_meant_is_said_with_its_line(tmp_path: Path, text: str, told: str):
    with pytest.raises(ConfigurationError, match=told):
        read(tmp_path, text)


def test_the_command_prints_what_a_scenario_takes(tmp_path: Path):
    (tmp_path / "slo.yaml").write_text(SLO)
    done = CliRunner().invoke(command, [str(tmp_path / "slo.yaml")])
    assert yaml.safe_load(done.stdout) == {"objectives": [{"measure": "latency", "threshold": "5s", "at_most": "5%"}]}
