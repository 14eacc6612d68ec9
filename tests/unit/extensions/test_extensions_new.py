"""`harness new`: files that work before a word is changed, and that take the place of nobody's."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from plugin_files import write

from harness.cli.commands.new import command
from harness.errors import ConfigurationError
from harness.extensions.declared import read_declared
from harness.extensions.first import WHAT, write_first
from harness.run.session import RunRequest, plan_to_run
from harness.scenario import read_scenario
from harness.target.embedded import EmbeddedTarget


def test_the_tests_that_are_written_pass_and_fail_where_the_code_is_broken(tmp_path: Path):
    for what in WHAT:
        command.main([what, f"my-{what}", str(tmp_path)], standalone_mode=False)
    assert len(list(tmp_path.iterdir())) == 9
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    pytest_here = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(pytest_here, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout
    assert "14 passed" in done.stdout

    fault = tmp_path / "my_fault.py"
    fault.write_text(fault.read_text().replace("return self.flag(fault).is_file()", "return True"))
    check = tmp_path / "my_check.py"
    check.write_text(check.read_text().replace("record.status_code == 200", "True"))
    objective = tmp_path / "my_objective.py"
    objective.write_text(objective.read_text().replace("tokens < 5", "tokens < 5000"))
    done = subprocess.run(pytest_here, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    for what in WHAT:
        assert f"FAILED test_my_{what}.py" in done.stdout


def test_a_scenario_can_use_all_three_at_once(tmp_path: Path):
    for what in WHAT:
        write_first(what, f"my-{what}", tmp_path)
    path = write(
        tmp_path,
        plugins="./my_fault.py, ./my_check.py, ./my_objective.py",
        source=None,
        fault="{at: plugins.my_fault, kind: my_fault}",
        check="{check: my check, during: steady}",
        objective="{measure: my objective, at_most: 5%}",
    )
    plan = plan_to_run(RunRequest(scenario=read_scenario(path), target=EmbeddedTarget()))
    assert [reference.brings for reference in plan.plugins] == [("my_fault",), ("my check",), ("my objective",)]
    assert [probe.name for probe in plan.probes if probe.check_id == "my-check"] == ["question"]


@pytest.mark.parametrize("what", WHAT)
def test_nothing_is_overwritten_and_half_of_it_is_not_written(what: str, tmp_path: Path):
    (tmp_path / "mine.md").write_text("mine")
    with pytest.raises(ConfigurationError, match=r"mine.md: there already"):
        write_first(what, "mine", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.md"]
    assert (tmp_path / "mine.md").read_text() == "mine"


@pytest.mark.parametrize("name", ["Mine", "../mine", "mine!", "", "1st", "a" * 41, "mine\nmine", "-mine"])
def test_a_name_that_cannot_be_is_refused(name: str, tmp_path: Path):
    with pytest.raises(ConfigurationError, match="is no name for a fault"):
        write_first("fault", name, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("what", "name"), [("fault", "latency"), ("check", "budget-cap"), ("objective", "error-rate"), ("fault", "class")]
)
def test_a_name_that_is_taken_is_refused(what: str, name: str, tmp_path: Path):
    with pytest.raises(ConfigurationError, match="is taken"):
        write_first(what, name, tmp_path)


def test_a_link_to_elsewhere_is_not_followed(tmp_path: Path):
    (tmp_path / "mine.py").symlink_to(tmp_path / "elsewhere.py")
    with pytest.raises(ConfigurationError, match="there already"):
        write_first("fault", "mine", tmp_path)
    assert not (tmp_path / "elsewhere.py").exists()


@pytest.mark.parametrize("what", WHAT)
def test_what_is_written_can_be_read_without_being_run(what: str, tmp_path: Path):
    path = write_first(what, "mine", tmp_path)[0]
    assert [extension.name for extension in read_declared(path.read_bytes(), str(path))] == ["mine"]


def test_the_name_that_the_documentation_writes_is_free(tmp_path: Path) -> None:
    """A newcomer types what stands there; a kind of the harness's own, added later, must not take the name away."""
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "extend.md").read_text("utf-8")
    commands = re.findall(r"^\$ harness new (\w+) (\w+)", page, flags=re.MULTILINE)
    assert commands
    for what, name in commands:
        assert [path.name for path in write_first(what, name, tmp_path)] == [f"{name}.py", f"test_{name}.py", f"{name}.md"]
