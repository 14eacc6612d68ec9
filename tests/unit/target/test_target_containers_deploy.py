"""What is on paper: manifests and pipelines have the shape that they need."""

import re
from pathlib import Path

import pytest
import yaml

from harness.target.containers import images

ROOT = Path(__file__).parents[3]
MANIFESTS = list(yaml.safe_load_all((ROOT / "deploy/kubernetes/harness.yaml").read_text(encoding="utf-8")))
PIPELINES = sorted((ROOT / "docs/pipelines").iterdir())


@pytest.mark.parametrize("job", [each for each in MANIFESTS if each["kind"] == "Job"], ids=lambda job: job["metadata"]["name"])
def test_a_job_runs_once_as_nobody_special_within_limits(job):
    spec = job["spec"]
    pod = spec["template"]["spec"]
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


def test_pipelines_only_name_scenarios_that_are_in_the_catalogue():
    known = {path.stem for path in (ROOT / "scenarios").glob("*.yaml")}
    for path in [*PIPELINES, ROOT / ".github/actions/harness/action.yaml"]:
        for name in re.findall(r"scenarios/([a-z][a-z0-9-]*)\.yaml", path.read_text(encoding="utf-8")):
            assert name in known, (path.name, name)


def test_pipelines_are_yaml_and_keep_what_was_measured_whatever_the_verdict():
    texts = {path.name: path.read_text(encoding="utf-8") for path in PIPELINES}
    assert yaml.safe_load(texts["gitlab-ci.yaml"])[".harness"]["artifacts"]["when"] == "always"
    assert "always {" in texts["Jenkinsfile"]
    action = yaml.safe_load((ROOT / ".github/actions/harness/action.yaml").read_text(encoding="utf-8"))
    upload = next(step for step in action["runs"]["steps"] if "upload-artifact" in step.get("uses", ""))
    assert upload["if"] == "always()"
    jobs = yaml.safe_load(texts["github-actions.yaml"])["jobs"]
    assert set(jobs) == {"gate", "nightly"}
