"""The manifests of the how-to: YAML that Kubernetes would take the shape of, with commands that this version has."""

import re
from pathlib import Path

import click
import yaml

from harness.cli.commands import run, worker

TEXT = (Path(__file__).parents[3] / "docs" / "how-to" / "kubernetes-workers.md").read_text(encoding="utf-8")


def manifests() -> list[dict]:
    return [document for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.S) for document in yaml.safe_load_all(block)]


def test_the_commands_in_the_manifests_take_the_options_that_they_are_given() -> None:
    jobs = [document for document in manifests() if document["kind"] == "Job"]
    assert len(jobs) == 2
    commands = {"run": run.command, "worker": worker.command}
    for job in jobs:
        assert job["apiVersion"] == "batch/v1"
        pod = job["spec"]["template"]["spec"]
        assert pod["restartPolicy"] == "Never"
        name, *arguments = pod["containers"][0]["args"]
        assert all(isinstance(argument, str) for argument in arguments)
        commands[name].make_context(name, list(arguments), resilient_parsing=False)  # raises on an option that is not there


def test_the_parts_find_each_other() -> None:
    by_kind = {(document["kind"], document["metadata"]["name"]): document for document in manifests()}
    service = by_kind["Service", "harness-master"]
    leading = by_kind["Job", "harness-run"]["spec"]["template"]
    sending = by_kind["Job", "harness-workers"]["spec"]
    assert service["spec"]["selector"] == leading["metadata"]["labels"]
    assert service["spec"]["ports"][0]["port"] == 5557
    args = sending["template"]["spec"]["containers"][0]["args"]
    assert args[args.index("--master") + 1] == "harness-master:5557"
    expected = leading["spec"]["containers"][0]["args"]
    assert int(expected[expected.index("--expect-workers") + 1]) == sending["parallelism"] == sending["completions"]
    assert isinstance(run.command, click.Command)
