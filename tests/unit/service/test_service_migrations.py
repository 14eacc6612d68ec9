"""Old and new version run side by side during a rollout: no migration takes away what the version before it needs."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "reference_service" / "migrations"
TAKES_AWAY = re.compile(
    r"\bdrop\s+(?:table|column|function|view|index)\b|\brename\b|\bset\s+not\s+null\b|\btruncate\s+(?:table\s+)?\w+\s*;"
    r"|\balter\s+column\s+\w+\s+(?:set\s+data\s+)?type\b|\bdelete\s+from\s+\w+\s*;",
    re.IGNORECASE,
)
NEW_COLUMN = re.compile(r"\badd\s+column\s+(?:if\s+not\s+exists\s+)?(\w+)\s+([^,;]+)", re.IGNORECASE)
CONSTRAINT = re.compile(r"alter table (\w+) (drop|add) constraint (\w+)", re.IGNORECASE)
FILES = sorted(FOLDER.glob("*.sql"))


def text_of(file: Path) -> str:
    return re.sub(r"--[^\n]*", "", file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_migration_only_adds(file: Path):
    assert TAKES_AWAY.findall(text_of(file)) == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_new_column_is_one_that_the_old_version_need_not_write(file: Path):
    for name, definition in NEW_COLUMN.findall(text_of(file)):
        demanded = "not null" in definition.lower() and not re.search(r"default|generated", definition, re.IGNORECASE)
        assert not demanded, f"{file.name}: {name} is not null without a default: the old version cannot insert any more"


def test_a_constraint_is_dropped_only_for_a_wider_one_of_its_name():
    for file in FILES:
        changes = CONSTRAINT.findall(text_of(file))
        dropped = {(table, name) for table, what, name in changes if what.lower() == "drop"}
        assert dropped <= {(table, name) for table, what, name in changes if what.lower() == "add"}, file.name


@pytest.mark.parametrize(
    "statement",
    [
        "alter table message drop column body;",
        "alter table account rename to user;",
        "alter table account alter column role set not null;",
        "drop table feedback;",
        "alter table message alter column id type text;",
    ],
)
def test_what_takes_away_is_seen(statement: str):
    assert TAKES_AWAY.search(statement)


def test_files_are_numbered_without_a_gap():
    assert [int(file.name[:4]) for file in FILES] == list(range(1, len(FILES) + 1))
