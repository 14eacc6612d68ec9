"""The simulated models: tokens, prices and timing that plan and provider agree on.

First token lognormal, median 300 ms and p99 900 ms; 5 ms a token; p95 of a full answer under 3 s.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedModel:
    """One model of the simulated provider.

    Prices are dollars per million tokens; `first_token_*` are quantiles of a lognormal; `token_ms` paces the rest.
    """

    name: str
    input_usd_per_mtok: float
    output_usd_per_mtok: float
    first_token_p50_ms: float = 300.0
    first_token_p99_ms: float = 900.0
    token_ms: float = 5.0

    def cost_usd(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Return the price of one call in dollars, unrounded."""
        return (prompt_tokens * self.input_usd_per_mtok + completion_tokens * self.output_usd_per_mtok) / 1e6


SIMULATED_MODELS: dict[str, SimulatedModel] = {
    model.name: model
    for model in (
        SimulatedModel(name="sim-large", input_usd_per_mtok=3.0, output_usd_per_mtok=15.0),
        SimulatedModel(name="sim-small", input_usd_per_mtok=0.10, output_usd_per_mtok=0.10),
        SimulatedModel(name="sim-cheap", input_usd_per_mtok=0.02, output_usd_per_mtok=0.02),
        SimulatedModel(name="sim-backup", input_usd_per_mtok=1.0, output_usd_per_mtok=5.0),
    )
}
"""By name. `sim-small` and `sim-cheap` carry the document's example prices; `sim-backup` is the second model."""


def count_tokens(text: str) -> int:
    """Return the token count that the simulated provider bills: one per four bytes of UTF-8, rounded up.

    A known rule in place of a tokenizer, so that plan, service and provider can agree to the token.
    """
    return -(-len(text.encode("utf-8", "surrogatepass")) // 4)
