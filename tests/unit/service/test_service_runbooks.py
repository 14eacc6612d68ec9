"""What a runbook tells an operator to type is a program that there is, with options that it has."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COMMAND = re.compile(r"python -m (reference_service\.[a-z_.]+)([^`\n<>]*)")
SHORT = re.compile(r"`\.\.\. (\w+) ([^`]*)`")
RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("*.md"))


def commands() -> list[tuple[str, str]]:
    """Module and arguments of every command; `... backup restore` is short for the same program as before."""
    found = []
    for page in RUNBOOKS:
        text = page.read_text(encoding="utf-8")
        full = [(module, arguments) for module, arguments in COMMAND.findall(text)]
        by_name = {module.rpartition(".")[2]: module for module, _ in full}
        found += full + [(by_name.get(name, f"? {name} in {page.name}"), rest) for name, rest in SHORT.findall(text)]
    return sorted(set(found))


@pytest.fixture(scope="module")
def helps() -> dict[str, str]:
    """What each program says of itself; those that take no options say nothing."""
    asked = {}
    for module in sorted({module for module, _ in commands()}):
        assert not module.startswith("?"), f"a runbook shortens a command that it never wrote out: {module}"
        done = subprocess.run(
            [sys.executable, "-m", module, "--help"], capture_output=True, text=True, timeout=30, check=False,
            stdin=subprocess.DEVNULL, cwd=ROOT, env={"COLUMNS": "200"},
        )  # fmt: skip
        assert "No module named" not in done.stderr, f"{module} is no program"
        asked[module] = done.stdout
    return asked


def test_runbooks_name_programs_at_all():
    assert len({module for module, _ in commands()}) >= 5


@pytest.mark.parametrize(("module", "arguments"), commands())
def test_a_runbooks_command_can_be_typed(helps: dict[str, str], module: str, arguments: str):
    text = helps[module]
    if not text:
        assert "--" not in arguments
        return
    for option in re.findall(r"--[a-z-]+", arguments):
        assert option in text, f"{module} has no {option}"
    verbs = re.search(r"\{([a-z,]+)\}", text)
    if verbs is not None:
        assert arguments.split(maxsplit=1)[0] in verbs[1].split(",")
