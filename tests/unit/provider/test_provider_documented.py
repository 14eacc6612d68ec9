from pathlib import Path

import pytest

from harness.provider.faults import KINDS
from harness.provider.faults.trigger import TRIGGERS

DOCUMENT = (Path(__file__).parents[3] / "docs" / "reference" / "provider.md").read_text()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_and_parameter_is_documented(kind):
    (line,) = [line for line in DOCUMENT.splitlines() if line.startswith(f"| `{kind}` |")]
    assert [parameter.name for parameter in KINDS[kind].PARAMETERS if f"`{parameter.name}`" not in line] == []


def test_every_trigger_is_documented():
    assert [trigger.name for trigger in TRIGGERS if f"| `{trigger.name}` |" not in DOCUMENT] == []
