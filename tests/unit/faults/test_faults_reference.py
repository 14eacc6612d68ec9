"""The reference names every kind of fault with its parameters as they are."""

from pathlib import Path

import pytest

from harness.model.fault_kinds import FAULT_KINDS
from harness.model.fault_kinds.provider import TRIGGERS
from harness.model.fault_kinds.requests import REQUEST_TRIGGERS

REFERENCE = (Path(__file__).parents[3] / "docs/reference/faults.md").read_text(encoding="utf-8")
SECTIONS = {part.partition("`")[0]: part.partition("\n## ")[0] for part in REFERENCE.split("### `")[1:]}


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_every_kind_is_in_the_reference_with_its_parameters_and_defaults(kind):
    rows = [line for line in SECTIONS[kind].splitlines() if line.startswith("| `")]
    names = [row.split("`")[1] for row in rows]
    own = [part for part in FAULT_KINDS[kind].parameters if part not in TRIGGERS and part not in REQUEST_TRIGGERS]
    assert names == [part.name for part in own]
    for part, row in zip(own, rows, strict=True):
        if part.default is not None:
            assert f"`{part.default}`" in row, part.name


def test_the_reference_names_no_kind_that_there_is_not():
    assert set(SECTIONS) == set(FAULT_KINDS)


def test_every_trigger_is_in_the_reference():
    links, provider = REFERENCE.split("## At the provider")
    for section, triggers in ((links, REQUEST_TRIGGERS), (provider, TRIGGERS)):
        for trigger in triggers:
            assert f"| `{trigger.name}` | {trigger.doc} |" in section
