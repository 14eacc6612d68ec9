"""Budget alerts: a warning at 80 % of a cap, a critical one at 100 % or when a request no longer fits; once a scope and day.

An alert is a line of the log, an entry in the audit log and, where one is set, a call of the operator's alert webhook.
"""

from collections.abc import Callable

import aiohttp
import msgspec

from reference_service.audit import Audit
from reference_service.bounded import bounded
from reference_service.database import Database
from reference_service.pricing import nanousd, usd
from reference_service.settings import Settings

_DUE = "select scope, level, spent_nanousd, cap_nanousd from budget_alerts($1, $2, $3)"
_REFUSED = """
insert into budget_alert (scope, day, level) values ($1, (now() at time zone 'utc')::date, 'critical')
on conflict do nothing returning scope
"""
MOST_REMEMBERED = 10_000


class BudgetAlerts:
    """Looks for budgets that have passed a mark (`look`), and is told of refusals (`refused`)."""

    def __init__(
        self, database: Database, settings: Settings, audit: Audit, write_log: Callable[[dict[str, object]], None]
    ) -> None:
        self._database = database
        self._settings = settings
        self._audit = audit
        self._write_log = write_log
        self._exhausted: dict[str, tuple[int, int]] = {}

    def refused(self, scope: str, *, spent_nanousd: int, cap_nanousd: int) -> None:
        """Take note that a request no longer fitted; never waits. scope: as the ledger writes it."""
        if len(self._exhausted) < MOST_REMEMBERED:
            self._exhausted[scope] = (spent_nanousd, cap_nanousd)

    async def look(self) -> int:
        """Give the alerts that are due and not yet given by any instance; return how many. Raises StoreUnavailable."""
        s = self._settings
        tenant = None if s.tenant_budget_usd is None else nanousd(s.tenant_budget_usd)
        due = [
            (row["scope"], row["level"], row["spent_nanousd"], row["cap_nanousd"])
            for row in await self._database.rows(_DUE, s.alert_from_ratio, nanousd(s.service_budget_usd), tenant)
        ]
        try:
            for scope, (spent, cap) in list(self._exhausted.items()):
                due += [(scope, "critical", spent, cap) for _ in await self._database.rows(_REFUSED, scope)]
                self._exhausted.pop(scope, None)
        finally:  # those that are due are noted as given: a database that goes now must not take them along
            for scope, level, spent, cap in due:
                await self._give(scope, level, spent, cap)
        return len(due)

    async def _give(self, scope: str, level: str, spent: int, cap: int) -> None:
        alert: dict[str, object] = {
            "event": "budget_alert",
            "level": level,
            "scope": scope,
            "spent_usd": usd(spent),
            "cap_usd": usd(cap),
            "spent_ratio": round(spent / cap, 4) if cap else 1.0,
        }
        self._write_log(alert)
        self._audit.note(
            request_id="",
            actor="service",
            tenant="",
            action="budget.alert",
            outcome=level,
            detail=f"{scope} {usd(spent)} of {usd(cap)} USD",
        )
        if self._settings.alert_webhook_url:
            try:
                await bounded(self._post(msgspec.json.encode(alert)), self._settings.webhook_timeout_s)
            except (TimeoutError, aiohttp.ClientError, OSError) as error:
                self._write_log({"event": "alert_not_delivered", "reason": type(error).__name__})

    async def _post(self, body: bytes) -> None:
        async with aiohttp.ClientSession(trust_env=False) as session:
            answer = await session.post(
                self._settings.alert_webhook_url, data=body, headers={"content-type": "application/json"}, allow_redirects=False
            )
            answer.release()
