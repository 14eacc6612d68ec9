"""What it came to: each attempt's reservation is turned into its cost, once, whatever became of the request.

A finished call costs what the provider billed. One that was cut (timeout, disconnect, broken stream) keeps the larger
of its reservation and what was seen. One that was never sent costs nothing.
"""

from reference_service.ledger import Ledger, Settlement
from reference_service.metrics import Metrics
from reference_service.pricing import Price
from reference_service.settings import Settings
from reference_service.turn import Reservation, Turn


class Settle:
    """Hands every reservation to the ledger; a second time does nothing."""

    def __init__(self, ledger: Ledger, settings: Settings, metrics: Metrics) -> None:
        self._ledger = ledger
        self._prices = settings.price_table
        self._metrics = metrics

    async def __call__(self, turn: Turn) -> None:
        """Never fails and never waits: the ledger keeps settlements until the database takes them."""
        if turn.settled:
            return
        turn.settled = True
        for held in turn.reservations:
            held.charged_nanousd = charge_nanousd(held, self._prices[held.model])
            usage = held.usage
            self._ledger.settle(
                Settlement(
                    id=held.id,
                    account_id=turn.who.account_id,
                    tenant=turn.who.tenant,
                    model=held.model,
                    charged_nanousd=held.charged_nanousd,
                    prompt_tokens=None if usage is None else usage.prompt_tokens,
                    completion_tokens=None if usage is None else usage.completion_tokens,
                )
            )
            self._metrics.spent(turn, held)


def charge_nanousd(held: Reservation, price: Price) -> int:
    """Return what an attempt is charged."""
    if not held.used:
        return 0
    if held.usage is None:
        return held.held_nanousd
    seen = price.cost_nanousd(held.usage.prompt_tokens, held.usage.completion_tokens)
    return seen if held.complete else max(held.held_nanousd, seen)
