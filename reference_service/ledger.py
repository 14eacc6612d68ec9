"""The budget ledger's client: settlements and reservations travel together, one statement at a time.

While a statement is on its way, what arrives is gathered for the next one: under load many requests share one
transaction and one flush to disk, and when idle nothing waits. A settlement given before a reservation is applied
before it. Settlements are never dropped: they stay until the database has taken them, and `close` flushes them.
"""

import asyncio
from dataclasses import dataclass

from reference_service.bounded import abandon
from reference_service.database import Database
from reference_service.errors import StoreUnavailable
from reference_service.pricing import nanousd
from reference_service.settings import Settings

_APPLY = "select * from ledger_apply($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18)"
BATCH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A reservation to make. cheap_model and cheap_nanousd: what to take instead past the cheap ratio, or None."""

    id: str
    account_id: int
    tenant: str
    model: str
    amount_nanousd: int
    cheap_model: str | None = None
    cheap_nanousd: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What a reservation came to in the end."""

    id: str
    account_id: int
    tenant: str
    model: str
    charged_nanousd: int
    prompt_tokens: int | None
    completion_tokens: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The ledger's answer. granted_nanousd None: refused, because `scope` is full."""

    granted_nanousd: int | None
    cheap: bool
    scope: str
    limit_nanousd: int
    spent_nanousd: int
    reserved_nanousd: int


class Ledger:
    """One instance's way to the ledger."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._service_limit = nanousd(settings.service_budget_usd)
        self._tenant_limit = None if settings.tenant_budget_usd is None else nanousd(settings.tenant_budget_usd)
        self._wanted: list[tuple[Wanted, asyncio.Future[Verdict]]] = []
        self._settlements: dict[str, Settlement] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def unsettled(self) -> int:
        """Return how many settlements the database has not taken yet."""
        return len(self._settlements)

    def start(self) -> None:
        """Begin to carry; needs a running loop."""
        self._task = asyncio.create_task(self._carry(), name="ledger")

    async def reserve(self, wanted: Wanted) -> Verdict:
        """Reserve in every scope at once, or in none.

        Raises StoreUnavailable when the database does not answer; what it may have granted is given back later.
        """
        if self._closing and self._task is None:
            raise StoreUnavailable("postgres", "the ledger is closed")
        answer: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._wanted.append((wanted, answer))
        self._wake.set()
        try:
            # Its own statement may stand behind another one that hangs; the user waits for neither.
            async with asyncio.timeout(self._settings.reserve_timeout_s):
                return await answer
        except BaseException as error:
            # Nobody will use it: settle it at nothing, whether or not it was granted.
            self.settle(
                Settlement(
                    id=wanted.id,
                    account_id=wanted.account_id,
                    tenant=wanted.tenant,
                    model=wanted.model,
                    charged_nanousd=0,
                    prompt_tokens=None,
                    completion_tokens=None,
                )
            )
            if isinstance(error, TimeoutError):
                raise StoreUnavailable("postgres", "no reservation in time") from error
            raise

    def settle(self, settlement: Settlement) -> None:
        """Take a settlement; the first one of an id counts."""
        self._settlements.setdefault(settlement.id, settlement)
        self._wake.set()

    async def close(self, limit_s: float) -> int:
        """Flush what is left within `limit_s`; return how many settlements the database did not take."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=limit_s)
            if not self._task.done():
                abandon(self._task)
            self._task = None
        return self.unsettled

    async def _carry(self) -> None:
        while True:
            if not self._wanted and not self._settlements:
                if self._closing:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            wanted = [(w, f) for w, f in self._wanted[:BATCH] if not f.done()]
            del self._wanted[:BATCH]
            settlements = list(self._settlements.values())[:BATCH]
            try:
                await self._apply(settlements, wanted)
            except StoreUnavailable as error:
                for _, answer in wanted:
                    if not answer.done():
                        answer.set_exception(error)
                # Only settlements are left to bring: no reason to hurry at a database that is down.
                await self._pause(0.05 if self._closing else 0.2)

    async def _pause(self, limit_s: float) -> None:
        """Wait, but not when somebody asks for a reservation."""
        end = asyncio.get_running_loop().time() + limit_s
        while not self._wanted and (left := end - asyncio.get_running_loop().time()) > 0:
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), left)
            except TimeoutError:
                return

    async def _apply(self, settlements: list[Settlement], wanted: list[tuple[Wanted, asyncio.Future[Verdict]]]) -> None:
        s, w = settlements, [one for one, _ in wanted]
        rows = await self._database.rows(
            _APPLY,
            [x.id for x in s],
            [x.account_id for x in s],
            [x.tenant for x in s],
            [x.model for x in s],
            [x.charged_nanousd for x in s],
            [x.prompt_tokens for x in s],
            [x.completion_tokens for x in s],
            [x.id for x in w],
            [x.account_id for x in w],
            [x.tenant for x in w],
            [x.model for x in w],
            [x.amount_nanousd for x in w],
            [x.cheap_model for x in w],
            [x.cheap_nanousd for x in w],
            self._settings.cheap_from_ratio,
            self._settings.reservation_lease_s,
            self._service_limit,
            self._tenant_limit,
        )
        for settlement in settlements:
            self._settlements.pop(settlement.id, None)
        verdicts = {row["id"]: _verdict(row) for row in rows}
        for one, answer in wanted:
            if not answer.done():
                answer.set_result(verdicts[one.id])


def _verdict(row: "dict[str, object]") -> Verdict:
    choice, limit = int(str(row["choice"])), int(str(row["limit_nanousd"]))
    return Verdict(
        granted_nanousd=limit if choice else None,
        cheap=choice == 2,
        scope=str(row["scope"]),
        limit_nanousd=limit,
        spent_nanousd=int(str(row["spent_nanousd"])),
        reserved_nanousd=int(str(row["reserved_nanousd"])),
    )
