"""`.ci/seen.py`: what has passed for the ordinary user is left out, everything else runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CI = Path(__file__).parents[3] / ".ci"
SUITE = """
import os, pytest
ROOT = pytest.mark.skipif("AS_ROOT" not in os.environ, reason="only root can")
@pytest.mark.parametrize("text", ["a.b/c", "x::y", "[", "ü"])
def test_passes(text): pass
class TestIn:
    def test_a_class(self): pass
@ROOT
def test_of_root(): pass
@pytest.mark.parametrize("n", [1, pytest.param(2, marks=ROOT)])
def test_in_part(n): pass
def test_noisy(): assert "CALM" in os.environ
@pytest.fixture
def broken(): assert "CALM" in os.environ
def test_never_begins(broken): pass
"""


def run(place: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--color=no", *arguments]
    return subprocess.run(
        command,
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(CI), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def told(place: Path, what: str, *files: str) -> list[str]:
    command = [sys.executable, str(CI / "seen.py"), what, *files]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("suite")
    (place / "test_suite.py").write_text(SUITE, encoding="utf-8")
    (place / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    assert run(place, "--junitxml=user.xml").returncode == 1
    again = run(place, "-p", "seen", "--junitxml=root.xml", PASSED="user.xml", AS_ROOT="1", CALM="1")
    assert again.returncode == 0, again.stdout
    return place


def test_what_was_skipped_is_named_once_without_its_parameters(place: Path) -> None:
    assert told(place, "not-run", "user.xml") == ["test_suite::test_in_part", "test_suite::test_of_root"]


@pytest.mark.parametrize(
    ("patterns", "differs"),
    [
        ("test_suite::test_in_part\ntest_suite::test_of_root\n", []),
        ("# in words\ntest_suite::*\n", []),
        ("test_suite::test_of_root\n", ["not run, and not expected so: test_suite::test_in_part"]),
        ("test_suite::*\nother::*\nother::one\n", ["expected not to run, and was not skipped: other::one"]),
    ],
)
def test_the_list_of_what_is_not_run_is_held_both_ways(place: Path, patterns: str, differs: list[str]) -> None:
    (place / "list").write_text(patterns, encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, str(CI / "seen.py"), "unexpected", "list", "user.xml"],
        cwd=place, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout.splitlines()) == (1 if differs else 0, differs)


def test_a_test_that_failed_or_was_skipped_runs_again_and_no_other(place: Path) -> None:
    assert told(place, "closing", "root.xml")[0].startswith("4 passed in ")


def test_the_closing_line_counts_each_test_once_by_its_last_run(place: Path) -> None:
    assert told(place, "closing", "user.xml")[0].startswith("2 failed, 6 passed, 2 skipped in ")
    assert told(place, "closing", "user.xml", "root.xml")[0].startswith("10 passed in ")
