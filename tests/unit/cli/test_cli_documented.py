"""Every command is in the README, and every path that the README names is there."""

import re
from pathlib import Path

import pytest

from harness.cli.main import _COMMANDS

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", list(_COMMANDS))
def test_a_command_is_told_of_in_the_readme(name: str) -> None:
    assert f"`harness {name}" in README


def test_every_file_that_the_readme_names_is_there() -> None:
    named = re.findall(r"`((?:docs|scenarios|reports)/[^`*\s]*|[A-Z]+\.md)`", README) + re.findall(r"\]\(([^)]+)\)", README)
    assert len(named) > 5
    for path in named:
        if not path.startswith("reports/latest"):
            assert (ROOT / path).exists(), path
