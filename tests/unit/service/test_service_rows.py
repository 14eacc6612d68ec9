"""The page that says which test and which defect stands for each row names what there is, and all of it."""

import ast
import re
from pathlib import Path

import pytest

from reference_service.defects import DEFECTS

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "reference" / "rows.md"
ROWS = [f"{group}{n}" for group, last in (("F", 6), ("S", 7), ("R", 8), ("C", 7), ("O", 5), ("P", 7)) for n in range(1, last + 1)]
ATTESTED = "P6"


def table() -> dict[str, tuple[list[str], list[str]]]:
    """Row to tests and defects, as the page says."""
    found = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if re.fullmatch(r"[A-Z]\d", cells[0]):
            assert cells[0] not in found, f"{cells[0]} stands there twice"
            tests, defects = (re.findall(r"`([^`]+)`", cell) for cell in cells[2:4])
            found[cells[0]] = (tests, defects)
    return found


def test_every_row_of_the_list_stands_on_the_page_in_order():
    assert list(table()) == ROWS
    assert len(ROWS) == 40


@pytest.mark.parametrize("row", [row for row in ROWS if row != ATTESTED])
def test_a_row_has_a_test_that_there_is_and_a_defect_that_there_is(row: str):
    tests, defects = table()[row]
    assert tests
    assert defects
    for name in tests:
        file, _, function = name.partition("::")
        tree = ast.parse((ROOT / "tests" / "e2e" / file).read_text(encoding="utf-8"))
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, f"{name} is no test"
    assert set(defects) <= DEFECTS.keys()


def test_every_defect_stands_in_its_row():
    rows = table()
    missing = {name: defect.row for name, defect in DEFECTS.items() if name not in rows[defect.row][1]}
    assert missing == {}
