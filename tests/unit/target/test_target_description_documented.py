from pathlib import Path

import pytest

from harness.target.description.document import TargetDocument

REFERENCE = (Path(__file__).parents[3] / "docs/reference/target.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("key", [field.alias or name for name, field in TargetDocument.model_fields.items()])
def test_every_key_of_a_description_is_documented(key: str) -> None:
    assert f"| `{key}` |" in REFERENCE
