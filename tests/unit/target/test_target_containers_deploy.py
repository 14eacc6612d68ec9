"""What is on paper: manifests and pipelines have the shape that they need, and the commands in them are those of this version."""

import json
import re
import shlex
from pathlib import Path

import click
import jsonschema
import pytest
import yaml

from harness.cli.main import _harness
from harness.target.containers import images

ROOT = Path(__file__).parents[3]
KUBERNETES = ROOT / "deploy/kubernetes"
MANIFESTS = [each for path in sorted(KUBERNETES.glob("*.yaml")) for each in yaml.safe_load_all(path.read_text(encoding="utf-8"))]
HOW_TO = (ROOT / "docs/how-to/kubernetes-workers.md").read_text(encoding="utf-8")
SHOWN = [each for block in re.findall(r"```yaml\n(.*?)```", HOW_TO, re.S) for each in yaml.safe_load_all(block)]
SCHEMAS = [json.loads((KUBERNETES / f"schema-{name}.json").read_text(encoding="utf-8")) for name in ("1.37", "chaos-mesh")]
PIPELINES = sorted((ROOT / "docs/pipelines").iterdir())
ACTION = ROOT / ".github/actions/harness/action.yml"


def problems(manifest):
    found = [schema for schema in SCHEMAS if manifest["kind"] in schema["kinds"]]
    if not found:
        return [f"$.kind: no schema here knows {manifest['kind']!r}"]
    schema = {
        "$schema": found[0]["$schema"],
        "$defs": found[0]["$defs"],
        "$ref": f"#/$defs/{found[0]['kinds'][manifest['kind']]}",
    }
    return [f"{error.json_path}: {error.message}" for error in jsonschema.Draft202012Validator(schema).iter_errors(manifest)]


def pod_of(manifest):
    spec = manifest["spec"]["jobTemplate"]["spec"] if manifest["kind"] == "CronJob" else manifest["spec"]
    return spec, spec["template"]["spec"]


JOBS = [each for each in MANIFESTS if each["kind"] in {"Job", "CronJob"}]


@pytest.mark.parametrize("manifest", [*MANIFESTS, *SHOWN], ids=lambda each: f"{each['kind']} {each['metadata']['name']}")
def test_a_manifest_is_what_kubernetes_takes(manifest):
    assert problems(manifest) == []


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ({"spec": {"backoflimit": 0}}, "'backoflimit' was unexpected"),
        ({"spec": {"backoffLimit": "0", "template": {}}}, "'0' is not of type"),
        ({"kind": "Job", "apiVersion": "batch/v2"}, "is not one of"),
    ],
)
def test_a_manifest_with_a_mistake_is_found(broken, told):
    assert any(told in problem for problem in problems({"apiVersion": "batch/v1", "kind": "Job"} | broken))


def fields(value, *, inside=()):
    """Yield the way to every field of a manifest that its schema names: not those of labels and other words of one's own."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if inside and inside[-1] not in (
                "labels",
                "matchLabels",
                "labelSelectors",
                "selector",
                "data",
                "stringData",
                "requests",
                "limits",
            ):
                yield (*inside, name)
            yield from fields(inner, inside=(*inside, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from fields(inner, inside=(*inside, index))


@pytest.mark.parametrize("manifest", [*MANIFESTS, *SHOWN], ids=lambda each: f"{each['kind']} {each['metadata']['name']}")
def test_any_field_of_a_manifest_that_is_misspelt_is_found(manifest):
    ways = list(fields(manifest))
    assert ways
    for way in ways:
        broken = json.loads(json.dumps(manifest))
        place = broken
        for step in way[:-1]:
            place = place[step]
        place[f"{way[-1]}z"] = place.pop(way[-1])
        assert problems(broken), way


def test_a_kind_without_a_schema_and_a_delay_without_its_length_are_found():
    assert problems({"apiVersion": "v1", "kind": "Pod"}) == ["$.kind: no schema here knows 'Pod'"]
    slow = next(each for each in MANIFESTS if each["metadata"]["name"] == "redis-slow")
    spec = {name: value for name, value in slow["spec"].items() if name != "delay"}
    assert any("'delay' is a required property" in problem for problem in problems(slow | {"spec": spec}))


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job["metadata"]["name"])
def test_a_job_runs_once_as_nobody_special_within_limits(job):
    spec, pod = pod_of(job)
    assert job["apiVersion"] == "batch/v1"
    assert (spec["backoffLimit"], pod["restartPolicy"]) == (0, "Never")
    assert spec["activeDeadlineSeconds"] > 0
    assert pod["securityContext"]["runAsNonRoot"] is True
    volumes = {volume["name"] for volume in pod["volumes"]}
    for container in pod["containers"]:
        assert re.fullmatch(r"[a-z0-9/-]+:\d+\.\d+\.\d+", container["image"])
        assert container["image"].partition(":")[0] in {own.name for own in images.OWN.values()}
        assert {"requests", "limits"} <= container["resources"].keys()
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


def test_the_service_of_the_manifests_finds_the_control_pod():
    service = next(each for each in MANIFESTS if each["kind"] == "Service")
    pods = [each["spec"]["template"]["metadata"]["labels"] for each in MANIFESTS if each["kind"] == "Job"]
    assert sum(service["spec"]["selector"].items() <= labels.items() for labels in pods) == 1


def test_only_the_workers_reach_the_port_that_the_control_pod_opens():
    policy = next(each for each in MANIFESTS if each["kind"] == "NetworkPolicy")
    pods = [each["spec"]["template"]["metadata"]["labels"] for each in MANIFESTS if each["kind"] == "Job"]
    (rule,) = policy["spec"]["ingress"]
    chosen = policy["spec"]["podSelector"]["matchLabels"].items()
    callers = rule["from"][0]["podSelector"]["matchLabels"].items()
    assert [labels["app.kubernetes.io/component"] for labels in pods if chosen <= labels.items()] == ["control"]
    assert [labels["app.kubernetes.io/component"] for labels in pods if callers <= labels.items()] == ["worker"]
    assert rule["ports"] == [{"port": 5557}]


def test_a_fault_of_the_cluster_ends_by_itself():
    faults = [each for each in MANIFESTS if each["apiVersion"].startswith("chaos-mesh.org/")]
    assert {each["kind"] for each in faults} == {"NetworkChaos", "PodChaos", "StressChaos"}
    for each in faults:
        assert re.fullmatch(r"\d+s", each["spec"]["duration"]), each["metadata"]["name"]
        assert each["spec"]["selector"]["labelSelectors"]


def commands():
    """Yield (where, words) of every command line of harness on paper."""
    for path in [*PIPELINES, ACTION]:
        for line in path.read_text(encoding="utf-8").splitlines():
            for found in re.findall(r"(?:^|[\s/'\[])harness ((?:run|drill|report|validate|judge|worker|plan) [^'\]#;|]*)", line):
                yield path.name, shlex.split(found)
    for job in JOBS:
        for container in pod_of(job)[1]["containers"]:
            assert container["args"][0] == "harness"
            yield job["metadata"]["name"], container["args"][1:]


@pytest.mark.parametrize(("where", "words"), [pytest.param(*each, id=f"{each[0]} {each[1][0]}") for each in commands()])
def test_a_command_on_paper_is_one_of_this_version(where, words):
    name, *arguments = words
    command = _harness.get_command(click.Context(_harness), name)
    assert command is not None, where
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in arguments if word.startswith("--")} <= known
    command.make_context(name, list(arguments))  # raises on a value that an option does not take, or an argument too many


def test_every_way_to_gate_is_on_paper():
    said = {path.name: " ".join(" ".join(words) for where, words in commands() if where == path.name) for path in PIPELINES}
    said["github-actions.yaml"] += PIPELINES[[path.name for path in PIPELINES].index("github-actions.yaml")].read_text(
        encoding="utf-8"
    )
    for name, text in said.items():
        assert "drill" in text, name
        assert "--dry" in text, name
        assert "--yes" in text, name


def test_pipelines_only_name_scenarios_that_are_in_the_catalogue():
    known = {path.stem for path in (ROOT / "scenarios").glob("*.yaml")}
    jobs = yaml.safe_load((ROOT / "docs/pipelines/github-actions.yaml").read_text(encoding="utf-8"))["jobs"]
    named = {
        name
        for job in jobs.values()
        for step in job["steps"]
        for name in str(step.get("with", {}).get("scenario", "")).split()
        if "${{" not in step["with"]["scenario"]
    }
    named |= set(jobs["nightly"]["strategy"]["matrix"]["scenario"])
    named |= {word for _, words in commands() for word in words if re.fullmatch(r"[a-z]+(-[a-z]+)+", word) and word in known}
    assert {"provider-outage", "postgres-down"} <= named <= known


def test_pipelines_keep_what_was_measured_whatever_the_verdict():
    texts = {path.name: path.read_text(encoding="utf-8") for path in PIPELINES}
    gitlab = yaml.safe_load(texts["gitlab-ci.yaml"])
    assert gitlab[".harness"]["artifacts"]["when"] == "always"
    assert gitlab["deploy"]["needs"] == ["pre-deploy"]
    assert re.search(r"post \{\s+always \{", texts["Jenkinsfile"])
    assert texts["Jenkinsfile"].count("{") == texts["Jenkinsfile"].count("}")
    action = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    upload, sarif = (next(s for s in action["runs"]["steps"] if name in s.get("uses", "")) for name in ("artifact", "sarif"))
    assert upload["if"] == "always()"
    assert sarif["if"].startswith("always()")
    jobs = yaml.safe_load(texts["github-actions.yaml"])["jobs"]
    assert set(jobs) == {"gate", "pre-deploy", "deploy", "nightly"}
    assert jobs["deploy"]["needs"] == "pre-deploy"


def test_nothing_installs_the_harness_by_its_name_which_is_somebody_elses_on_the_public_index():
    places = [*PIPELINES, ACTION, ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "harness").rglob("*.py")]
    lines = [(path.name, line) for path in places for line in path.read_text(encoding="utf-8").splitlines()]
    assert [each for each in lines if re.search(r"install\b[^#;&]*?['\" ]llm-harness", each[1])] == []
    assert sum("$HARNESS" in line and "pip install" in line for _, line in lines) == 2
    action = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    assert action["inputs"]["source"]["default"] == ""
    assert "action_path" in next(s["env"]["HERE"] for s in action["runs"]["steps"] if "pip install" in s.get("run", ""))


def test_the_action_runs_no_text_of_an_input_as_a_command():
    for step in yaml.safe_load(ACTION.read_text(encoding="utf-8"))["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
