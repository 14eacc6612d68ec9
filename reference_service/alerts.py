"""Budget alerts: a warning at 80 % of a cap, a critical one at 100 % or when a request no longer fits; once a scope and day.

An alert is a line of the log, an entry in the audit log and, where one is set, a call of the operator's alert webhook.
An alert that is due stands in the table `budget_alert`. An instance claims it, gives it and then notes that it was given.
"""

import uuid
from collections.abc import Callable
from datetime import date

import aiohttp
import msgspec

from reference_service.audit import Audit
from reference_service.bounded import bounded
from reference_service.database import Database
from reference_service.pricing import nanousd, usd
from reference_service.settings import Settings

_REFUSED = """
insert into budget_alert (scope, day, level, given_at, spent_nanousd, cap_nanousd)
select r.scope, (now() at time zone 'utc')::date, 'critical', null, r.spent, r.cap
from unnest($1::text[], $2::bigint[], $3::bigint[]) as r (scope, spent, cap) order by r.scope
on conflict do nothing
"""
_CLAIM = "select scope, day, level, spent_nanousd, cap_nanousd from budget_alerts_claim($1, $2, $3, $4, $5, $6)"
_GIVEN = "update budget_alert set given_at = now() where scope = $1 and day = $2 and level = $3 and given_at is null"
MOST_REMEMBERED = 10_000
AT_ONCE = 10
CLAIM_S = 30.0
"""How long a claim lasts, beside what its alerts may wait for the webhook; then any instance may claim them again."""


class BudgetAlerts:
    """Looks for budgets that have passed a mark (`look`), and is told of refusals (`refused`).

    An alert that stands in the table is given at least once, whichever answer of the database is lost: each statement may be
    repeated, and what this process claimed comes back to it. It is given exactly once unless its instance dies, stands still
    or is without the database until the claim has ended, between giving it and noting that.
    """

    def __init__(
        self, database: Database, settings: Settings, audit: Audit, write_log: Callable[[dict[str, object]], None]
    ) -> None:
        self._database = database
        self._settings = settings
        self._audit = audit
        self._write_log = write_log
        self._exhausted: dict[str, tuple[int, int]] = {}
        self._claimer = f"{settings.instance} {uuid.uuid4().hex}"
        self._given: tuple[str, date, str] | None = None

    def refused(self, scope: str, *, spent_nanousd: int, cap_nanousd: int) -> None:
        """Take note that a request no longer fitted; never waits. scope: as the ledger writes it."""
        if len(self._exhausted) < MOST_REMEMBERED:
            self._exhausted[scope] = (spent_nanousd, cap_nanousd)

    async def look(self) -> int:
        """Give the alerts that are due and that no instance has given or claimed; return how many.

        Raises StoreUnavailable; the next look goes on where this one stopped.
        """
        s = self._settings
        await self._note_given()
        if refused := dict(self._exhausted):
            spent, caps = zip(*refused.values(), strict=True)
            await self._database.rows(_REFUSED, list(refused), list(spent), list(caps))
            for scope in refused:
                self._exhausted.pop(scope, None)
        claim_s = CLAIM_S + (AT_ONCE * s.webhook_timeout_s if s.alert_webhook_url else 0.0)
        tenant = None if s.tenant_budget_usd is None else nanousd(s.tenant_budget_usd)
        marks = (s.alert_from_ratio, nanousd(s.service_budget_usd), tenant)
        given = 0
        while True:
            claimed = await self._database.rows(_CLAIM, self._claimer, AT_ONCE, claim_s, *marks)
            for row in claimed:
                await self._give(row["scope"], row["level"], row["spent_nanousd"], row["cap_nanousd"])
                self._given = (row["scope"], row["day"], row["level"])
                given += 1
                await self._note_given()
            if len(claimed) < AT_ONCE:
                return given

    async def _note_given(self) -> None:
        """Note the last alert that was given, where that is not noted yet."""
        if self._given is not None:
            await self._database.rows(_GIVEN, *self._given)
            self._given = None

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
