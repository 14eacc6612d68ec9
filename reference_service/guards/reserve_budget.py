"""Is there money for it: the most that the call can cost is held in every scope at once, or the request is refused.

The ledger in PostgreSQL decides, under one lock for all instances; there is no cached balance to be wrong about.
"""

from reference_service.alerts import BudgetAlerts
from reference_service.errors import BudgetExceeded, GuardUnavailable, StoreUnavailable
from reference_service.guards.validate import AUTO
from reference_service.ledger import Ledger, Wanted
from reference_service.pricing import count_tokens, usd
from reference_service.provider.endpoint import Endpoint
from reference_service.settings import Settings
from reference_service.turn import Reservation, Turn


class ReserveBudget:
    """Holds money for the first attempt (`__call__`) and for each later one at another price (`hold`)."""

    def __init__(self, ledger: Ledger, settings: Settings, primary: Endpoint, alerts: BudgetAlerts | None = None) -> None:
        self._ledger = ledger
        self._settings = settings
        self._prices = settings.price_table
        self._primary = primary
        self._alerts = alerts

    async def __call__(self, turn: Turn) -> None:
        """Raise BudgetExceeded or GuardUnavailable. Where the primary would not be asked, the second model is reserved for."""
        s = self._settings
        model = turn.model if self._primary.would_admit or not s.fallback else s.backup_model
        held = await self.hold(turn, model)
        if model == turn.model:
            turn.model = held.model

    async def hold(self, turn: Turn, model: str) -> Reservation:
        """Return a reservation for one attempt with `model`, or with the cheap model where a budget is nearly gone."""
        s = self._settings
        prompt_tokens = sum(count_tokens(m.content) for m in turn.prompt)
        # A model that the client named is refused when it no longer fits; it is not swapped behind their back.
        may_cheapen = turn.asked.model == AUTO and model not in (s.cheap_model, s.small_model, s.backup_model)
        cheap = s.cheap_model if may_cheapen else None
        try:
            verdict = await self._ledger.reserve(
                Wanted(
                    id=f"{turn.uid}:{len(turn.reservations) + 1}",
                    account_id=turn.who.account_id,
                    tenant=turn.who.tenant,
                    model=model,
                    amount_nanousd=self._prices[model].cost_nanousd(prompt_tokens, turn.max_tokens),
                    cheap_model=cheap,
                    cheap_nanousd=None if cheap is None else self._prices[cheap].cost_nanousd(prompt_tokens, turn.max_tokens),
                )
            )
        except StoreUnavailable as error:
            raise GuardUnavailable("reserve_budget") from error
        if verdict.granted_nanousd is None:
            if verdict.limit_nanousd > 0 and verdict.scope != "reservation" and self._alerts is not None:
                self._alerts.refused(verdict.scope, spent_nanousd=verdict.spent_nanousd, cap_nanousd=verdict.limit_nanousd)
            raise BudgetExceeded(
                "This request could cost more than what is left of a daily budget.",
                details={
                    "scope": verdict.scope.partition(":")[0],
                    "limit": usd(verdict.limit_nanousd),
                    "spent": usd(verdict.spent_nanousd),
                    "reserved": usd(verdict.reserved_nanousd),
                },
            )
        held = Reservation(
            id=f"{turn.uid}:{len(turn.reservations) + 1}",
            model=cheap if verdict.cheap and cheap is not None else model,
            held_nanousd=verdict.granted_nanousd,
        )
        turn.reservations.append(held)
        return held
