"""The pipelines on paper: each can be read, each gate closes by the exit code, and each keeps what was measured."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
PAPER = ROOT / "docs/pipelines"
JENKINS = (PAPER / "Jenkinsfile").read_text(encoding="utf-8")
GITLAB = yaml.safe_load((PAPER / "gitlab-ci.yaml").read_text(encoding="utf-8"))
GITHUB = yaml.safe_load((PAPER / "github-actions.yaml").read_text(encoding="utf-8"))
ACTION = yaml.safe_load((ROOT / ".github/actions/harness/action.yml").read_text(encoding="utf-8"))
OURS = ".github/actions/harness@"
GATES = re.compile(r"\bharness (run|drill)\b")


# Jenkins: blocks of braces with their names, so that a brace or a quote too many is seen, and a step outside of its stage.
TOKEN = re.compile(r"""//[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|[{}()\[\]]|\n|[^\s{}()\[\]'"]+|[ \t]+|(.)""")


def blocks(text):
    """Return the blocks of a declarative pipeline, each as (name, what it says itself, blocks inside). Raises ValueError."""
    root = ("", [], [])
    stack, words, pairs = [root], [], []
    for found in TOKEN.finditer(text):
        token = found.group()
        if found.group(1):
            raise ValueError(f"a quote is not closed near {text[found.start() : found.start() + 30]!r}")
        if token.startswith("//"):
            continue
        if token == "{" and not pairs:
            block = ("".join(words).strip(), [], [])
            stack[-1][2].append(block)
            stack.append(block)
            words = []
        elif token == "}" and not pairs:
            if len(stack) == 1:
                raise ValueError("a brace too many")
            stack[-1][1].append("".join(words).strip())
            stack.pop()
            words = []
        elif token == "\n" and not pairs:
            stack[-1][1].append("".join(words).strip())
            words = []
        else:
            if token in "([":
                pairs.append(token)
            elif token in ")]" and (not pairs or "([".index(pairs.pop()) != ")]".index(token)):
                raise ValueError(f"{token} closes nothing")
            words.append(token)
    if len(stack) > 1 or pairs:
        raise ValueError(f"{stack[-1][0] or pairs} is not closed")
    return root[2]


def child(block, name):
    found = [each for each in block[2] if each[0] == name]
    assert len(found) == 1, f"{name}: {len(found)} in {block[0]}"
    return found[0]


def all_said(block):
    return [line for line in block[1] if line] + [line for each in block[2] for line in all_said(each)]


def test_the_jenkinsfile_is_a_declarative_pipeline_whose_gates_are_steps_of_stages():
    (pipeline,) = blocks(JENKINS)
    assert pipeline[0] == "pipeline"
    assert {each[0] for each in pipeline[2]} == {"agent", "options", "environment", "triggers", "stages", "post"}
    stages = child(pipeline, "stages")[2]
    names = [re.fullmatch(r"stage\('(.+)'\)", each[0]).group(1) for each in stages]
    assert names == ["Install", "Gate", "Pre-deploy", "Deploy", "Nightly drill"]
    said = {name: all_said(child(each, "steps")) for name, each in zip(names, stages, strict=True)}
    assert {name for name, lines in said.items() if any(GATES.search(line) for line in lines)} == {
        "Gate",
        "Pre-deploy",
        "Nightly drill",
    }
    for name in ("Gate", "Pre-deploy", "Nightly drill"):
        for line in said[name]:
            assert re.fullmatch(r"sh '\.harness/bin/harness [^;|&]*'", line), (
                f"{name}: the exit code of {line} must be the step's"
            )
    kept = " ".join(all_said(child(child(pipeline, "post"), "always")))
    assert "junit testResults: 'harness-run/**/junit.xml'" in kept
    assert "archiveArtifacts artifacts: 'harness-run/**'" in kept
    assert "--format html,junit,sarif" in kept
    assert not re.search(r"catchError|returnStatus|unstable", JENKINS)


@pytest.mark.parametrize(
    ("sound", "broken", "told"),
    [
        ("stages {", "stages", "brace too many"),
        ("  post {", "  post { {", "is not closed"),
        ("sh './deploy.sh'", "sh './deploy.sh", "quote is not closed"),
        ("disableConcurrentBuilds()", "disableConcurrentBuilds(", "is not closed|closes nothing"),
    ],
)
def test_a_jenkinsfile_with_a_mistake_is_found(sound, broken, told):
    assert sound in JENKINS
    with pytest.raises(ValueError, match=told):
        blocks(JENKINS.replace(sound, broken, 1))


def test_gitlab_reads_jobs_that_exist_in_stages_that_exist_and_every_gate_closes_by_its_exit_code():
    jobs = {name: job for name, job in GITLAB.items() if name not in ("variables", "stages")}
    keys = {
        "stage",
        "image",
        "timeout",
        "before_script",
        "after_script",
        "artifacts",
        "extends",
        "script",
        "rules",
        "environment",
    }
    keys |= {"resource_group", "parallel", "needs"}
    for name, job in jobs.items():
        assert job.keys() <= keys, name  # `allow_failure` would open the gate
        whole = jobs.get(job.get("extends"), {}) | job
        assert whole["stage"] in GITLAB["stages"]
        assert set(whole.get("needs", [])) <= jobs.keys()
        assert name.startswith(".") or whole["script"]
        for line in [] if name.startswith(".") else whole["script"]:
            assert isinstance(line, str)
            assert not re.search(r"[;|&]", line), f"{name}: {line}"
    gates = {name for name, job in jobs.items() if any(GATES.search(line) for line in job.get("script", []))}
    assert gates == {"gate", "pre-deploy", "nightly"}
    assert {jobs[name]["extends"] for name in gates} == {".harness"}
    kept = GITLAB[".harness"]["artifacts"]
    assert kept["reports"]["junit"] == "harness-run/**/junit.xml"
    assert {"harness-run", "harness-readiness"} == set(kept["paths"])
    assert all("--out harness-run" in line for name in gates for line in jobs[name]["script"] if "--dry" not in line)


def ours():
    return [(name, step) for name, job in GITHUB["jobs"].items() for step in job["steps"] if OURS in step.get("uses", "")]


def test_github_reads_jobs_that_exist_and_gives_the_action_inputs_that_it_has():
    assert set(GITHUB[True]) == {"pull_request", "push", "schedule"}  # YAML reads `on` as true
    jobs = GITHUB["jobs"]
    assert {name for name, _ in ours()} == {"gate", "pre-deploy", "nightly"}
    for name, step in ours():
        assert step["with"].keys() <= ACTION["inputs"].keys(), name
        assert step["with"].get("command", "run") in ("run", "drill")
    for name, job in jobs.items():
        assert {job.get("needs", name)} <= jobs.keys()
        assert job["timeout-minutes"] > 0 or name == "deploy" if "timeout-minutes" in job else name == "deploy"
        assert "continue-on-error" not in str(job), name
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step), name
    outs = [step["with"].get("out", ACTION["inputs"]["out"]["default"]) for name, step in ours() if name == "pre-deploy"]
    assert len(set(outs)) == len(outs), "two steps of a job must not write over each other"


def test_the_action_shows_what_it_knows_of_its_own_inputs_only():
    known = {f"inputs.{name}" for name in ACTION["inputs"]} | {
        f"steps.{step['id']}" for step in ACTION["runs"]["steps"] if "id" in step
    }
    for said in re.findall(r"\$\{\{\s*([\w.-]+)", str(ACTION)):
        assert any(said == each or said.startswith(f"{each}.") for each in known) or said.startswith(("github.", "strategy.")), (
            said
        )


def act(tmp_path: Path, step: dict, *, code: int, **inputs: str) -> tuple[int, list[str], str]:
    """Run a step of the action as GitHub does, with a `harness` that ends with `code`; return its code, its words and its outputs."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "harness").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >"$SEEN"\nexit {code}\n')
    (programs / "harness").chmod(0o755)
    defaults = {name.upper(): str(given.get("default", "")) for name, given in ACTION["inputs"].items()}
    environment = {name: (defaults | inputs)[name] for name in step["env"]}
    outputs = tmp_path / "outputs"
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env={"PATH": f"{programs}:{os.environ['PATH']}", "SEEN": str(tmp_path / "seen"), "GITHUB_OUTPUT": str(outputs)} | environment,
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    words = (tmp_path / "seen").read_text().splitlines() if (tmp_path / "seen").exists() else []
    return done.returncode, words, done.stdout + (outputs.read_text() if outputs.exists() else "")


STEPS = [step for step in ACTION["runs"]["steps"] if "run" in step]


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 5, 6, 130, 143])
def test_the_step_that_runs_the_harness_ends_as_it_does_and_tells_the_code(code: int, tmp_path: Path):
    step = next(step for step in STEPS if step.get("id") == "run")
    ended, words, told = act(tmp_path, step, code=code, SCENARIO="a b", ARGUMENTS="--allow staging.example")
    assert ended == code
    assert words == ["run", "a", "b", "--target", "embedded", "--out", "harness-run", "--allow", "staging.example"]
    assert f"exit-code={code}\n" in told


def test_text_of_a_pull_request_is_an_argument_and_never_a_command(tmp_path: Path):
    step = next(step for step in STEPS if step.get("id") == "run")
    hostile = f"$(touch {tmp_path}/owned);`touch {tmp_path}/owned`"
    act(tmp_path, step, code=0, SCENARIO=hostile, TARGET=hostile, ARGUMENTS=hostile)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(("code", "warns"), [(0, False), (1, False), (3, False), (5, True)])
def test_the_step_that_reports_is_shown_and_gates_nothing(code: int, warns: bool, tmp_path: Path):
    step = next(step for step in STEPS if "harness report" in step["run"])
    ended, words, told = act(tmp_path, step, code=code)
    assert ended == 0
    assert step["if"] == "always()"
    assert words == ["report", "harness-run", "--format", "html,junit,sarif", "--out", "harness-run-readiness"]
    assert (f"::warning::harness report ended with {code}" in told) == warns
