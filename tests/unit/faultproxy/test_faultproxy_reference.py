"""The reference names every toxic, every attribute and every point where ours is better, and nothing else."""

import re
from pathlib import Path

import pytest

from harness.faultproxy.requests import TRIGGERS
from harness.faultproxy.toxics import TOXICS

ROOT = Path(__file__).parents[3]
REFERENCE = (ROOT / "docs" / "reference" / "faultproxy.md").read_text()


def rows(heading: str) -> dict[str, str]:
    """Return the rows of the table under a heading, by the name in their first cell."""
    section = REFERENCE.split(f"## {heading}\n")[1].split("\n## ")[0]
    found = re.finditer(r"^\| `(\w+)`[^|]*\|(.*)$", section, flags=re.MULTILINE)
    return {row.group(1): row.group(2) for row in found}


def test_every_point_where_ours_is_better_has_a_test_and_every_such_test_a_row() -> None:
    suite = (ROOT / "tests" / "conformance" / "test_conformance_better.py").read_text()
    assert set(re.findall(r"def test_better_(\w+)\(", suite)) == set(rows("Better on purpose"))


def test_the_table_of_toxics_is_complete() -> None:
    assert set(rows("Toxics")) == set(TOXICS)


@pytest.mark.parametrize("type_", sorted(TOXICS))
def test_each_attribute_is_named_with_its_default(type_: str) -> None:
    cell = rows("Toxics")[type_].split("|")[0]
    for parameter in TOXICS[type_].PARAMETERS:
        assert re.search(rf"`{parameter.name}`[^,]*\({parameter.default}\b", cell), parameter.name


def test_the_table_of_triggers_is_complete() -> None:
    assert set(rows("Requests")) == set(TRIGGERS)
