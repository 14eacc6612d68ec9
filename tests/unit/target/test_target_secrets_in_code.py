"""Keys in code: in a file, or in what was committed once and taken out again."""

import subprocess
from pathlib import Path

import pytest

from harness.model.key_forms import found_in
from harness.target.secrets_in_code import code_of, has_history, scanned, told_of

MADE = "ghp_" + "a1B2" * 9
"""A token by its form, and nobody's; put together here, so that this file holds none."""


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("key = '" + "AKIA" + "ABCDEFGH12345678'", "AWS"),
        (f"x\nTOKEN={MADE}", "GitHub"),
        ("xox" + "b-123456789012-abcdefghij", "Slack"),
        ("sk-" + "proj-" + "a1b2c3d4" * 4, "model provider"),
        ("AI" + "za" + "B" * 35, "Google"),
        ("sk_" + "live_" + "0123456789abcdef" * 2, "Stripe"),
        ("-----BEGIN RSA " + "PRIVATE KEY-----\n" + "MIIE" * 16, "private key"),
    ],
)
def test_a_key_is_known_by_its_form(text: str, kind: str) -> None:
    ((line, what),) = found_in(text.encode())
    assert kind in what
    assert line == (2 if text.startswith("x\n") else 1)


@pytest.mark.parametrize(
    "text",
    ["AKIA" + "IOSFODNN7EXAMPLE", "sk-test-51H8xExampleExampleExample0000", "sk-short", "ghp_", "-----BEGIN PUBLIC KEY-----"],
)
def test_what_says_that_it_is_made_up_or_is_no_key_is_none(text: str) -> None:
    assert found_in(text.encode()) == []


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=n", "-c", "user.email=n@localhost", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def test_a_key_that_was_taken_out_again_is_still_in_the_history(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    place = tmp_path / "settings.py"
    place.write_text(f"\nTOKEN = '{MADE}'\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    assert has_history(tmp_path)
    before = scanned(tmp_path)
    assert before.places == ("settings.py:2: a token of GitHub", "the history: a token of GitHub")
    place.write_text("TOKEN = ''\n")
    git(tmp_path, "commit", "-qam", "two")
    after = scanned(tmp_path)
    assert (after.files, after.commits, after.places) == (1, 2, ("the history: a token of GitHub",))
    assert MADE not in repr(told_of(after))


def test_a_folder_without_history_is_looked_through_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a.py").write_text("nothing")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/b.py").write_text(MADE)
    assert told_of(scanned(tmp_path)) == {"files": 1, "commits": None, "found": 0, "where": ""}


def test_the_service_s_own_code_and_all_that_was_ever_committed_to_it_hold_no_key() -> None:
    result = scanned(code_of("reference_service"))
    assert result.files > 100
    assert result.places == ()
