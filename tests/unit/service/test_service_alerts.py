"""An alert that is noted as given is given, also where the database goes in the same look."""

import asyncio

import pytest

from reference_service.alerts import BudgetAlerts
from reference_service.errors import StoreUnavailable
from reference_service.settings import Settings


class Database:
    """Has one warning due, once; says of refused scopes what it is told to."""

    def __init__(self) -> None:
        self.due = [{"scope": "user:1", "level": "warning", "spent_nanousd": 9, "cap_nanousd": 10}]
        self.gone = True

    async def rows(self, statement: str, *arguments: object) -> list[dict[str, object]]:
        if "budget_alerts(" in statement:
            due, self.due = self.due, []
            return due
        if self.gone:
            raise StoreUnavailable("postgres", "it is gone")
        return [{"scope": arguments[0]}]


class Audit:
    def note(self, **_: object) -> None:
        pass


def test_a_database_that_goes_in_the_middle_of_a_look_takes_no_alert_along():
    given: list[dict[str, object]] = []
    database = Database()
    alerts = BudgetAlerts(database, Settings(), Audit(), given.append)
    for scope in ("user:1", "user:2"):
        alerts.refused(scope, spent_nanousd=10, cap_nanousd=10)
    with pytest.raises(StoreUnavailable):
        asyncio.run(alerts.look())
    assert [(line["scope"], line["level"]) for line in given] == [("user:1", "warning")]
    database.gone = False
    assert asyncio.run(alerts.look()) == 2
    assert [(line["scope"], line["level"]) for line in given[1:]] == [("user:1", "critical"), ("user:2", "critical")]
    assert asyncio.run(alerts.look()) == 0
