"""An alert is given once, whichever statement the database does not do, or does and does not answer."""

import asyncio
import contextlib
from datetime import date

import pytest

from reference_service import alerts
from reference_service.alerts import BudgetAlerts
from reference_service.errors import StoreUnavailable
from reference_service.settings import Settings

DAY = date(2026, 1, 1)


class Database:
    """The table as one claimer sees it, with one warning that comes due. Statement number `fails` is not answered.

    done: whether that statement is carried out all the same.
    """

    def __init__(self, *, fails: int | None = None, done: bool = False) -> None:
        self.not_given = {("user:0", DAY, "warning"): (9, 10)}
        self.noted: set[tuple[object, ...]] = set()
        self.fails = fails
        self.done = done
        self.asked = 0

    async def rows(self, statement: str, *arguments: object) -> list[dict[str, object]]:
        self.asked += 1
        if (failed := self.asked - 1 == self.fails) and not self.done:
            raise StoreUnavailable("postgres", "it is gone")
        answer = self.carry_out(statement, arguments)
        if failed:
            raise StoreUnavailable("postgres", "its answer is lost")
        return answer

    def carry_out(self, statement: str, arguments: tuple[object, ...]) -> list[dict[str, object]]:
        if "unnest(" in statement:
            for scope, spent, cap in zip(*arguments, strict=True):
                if (scope, DAY, "critical") not in self.noted:
                    self.not_given.setdefault((scope, DAY, "critical"), (spent, cap))
            return []
        if "budget_alerts_claim(" in statement:
            claimed = list(self.not_given.items())[: arguments[1]]
            return [
                {"scope": scope, "day": day, "level": level, "spent_nanousd": spent, "cap_nanousd": cap}
                for (scope, day, level), (spent, cap) in claimed
            ]
        assert statement.startswith("update budget_alert set given_at")
        self.noted.add(arguments)
        self.not_given.pop(arguments, None)
        return []


class Audit:
    def note(self, **_: object) -> None:
        pass


def given_by(database: Database, *, refused: int = 2, looks: int = 3) -> list[tuple[object, object]]:
    """Return the scope and level of every alert that some looks give, those that have no database too."""
    given: list[dict[str, object]] = []
    looking = BudgetAlerts(database, Settings(), Audit(), given.append)
    for number in range(refused):
        looking.refused(f"user:{number + 1}", spent_nanousd=10, cap_nanousd=10)
    for _ in range(looks):
        with contextlib.suppress(StoreUnavailable):
            asyncio.run(looking.look())
    return [(line["scope"], line["level"]) for line in given]


ALL = [("user:0", "warning"), ("user:1", "critical"), ("user:2", "critical")]


@pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])
def test_an_alert_is_given_once_whichever_statement_is_not_answered(done: bool):
    whole = Database()
    assert given_by(whole, looks=1) == ALL
    for number in range(whole.asked):
        assert given_by(Database(fails=number, done=done)) == ALL, f"statement {number}"


def test_a_look_without_a_database_says_so_and_the_next_goes_on():
    database = Database(fails=2)
    looking = BudgetAlerts(database, Settings(), Audit(), lambda _: None)
    looking.refused("user:1", spent_nanousd=10, cap_nanousd=10)
    with pytest.raises(StoreUnavailable):
        asyncio.run(looking.look())  # the first is given, and that was not noted
    assert [asyncio.run(looking.look()), asyncio.run(looking.look())] == [1, 0]


def test_more_alerts_than_one_claim_takes_are_given_in_one_look():
    assert len(given_by(Database(), refused=2 * alerts.AT_ONCE, looks=1)) == 2 * alerts.AT_ONCE + 1
