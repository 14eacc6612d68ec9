from pathlib import Path

import pytest

from harness.target.description.placeholders import Placeholders


def _placeholders(tmp_path: Path) -> Placeholders:
    return Placeholders(folder=tmp_path, environment={"TOKEN": "s3cr3t-value"}, values={"port": "4000"})


def test_a_secret_comes_from_the_environment_or_a_file_and_is_remembered_for_masking(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("file-secret\n")
    filling = _placeholders(tmp_path)
    assert filling.fill("Bearer ${env:TOKEN} ${file:key} :${port}") == "Bearer s3cr3t-value file-secret :4000"
    assert filling.secrets == {"s3cr3t-value", "file-secret"}


def test_what_is_missing_is_named_and_nothing_else_is_shown(tmp_path: Path) -> None:
    filling = _placeholders(tmp_path)
    with pytest.raises(ValueError, match=r"\$\{env:NOPE\}: the environment has no variable NOPE"):
        filling.fill("${env:TOKEN}${env:NOPE}")
    with pytest.raises(ValueError, match="cannot be read: FileNotFoundError"):
        filling.fill("${file:absent}")


def test_a_placeholder_alone_keeps_the_type_of_its_value(tmp_path: Path) -> None:
    body = {"max_budget": "${cap_usd}", "note": "cap ${cap_usd}", "nothing": "${budget}", "list": ["${port}"]}
    filled = _placeholders(tmp_path).fill_body(body, {"cap_usd": 0.25, "budget": None})
    assert filled == {"max_budget": 0.25, "note": "cap 0.25", "nothing": None, "list": ["4000"]}
