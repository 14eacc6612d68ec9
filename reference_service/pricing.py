"""Tokens and money: whole nano-dollars inside, so that a sum is exact and a cap is a cap."""

from collections.abc import Mapping
from dataclasses import dataclass

NANOUSD_PER_USD = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one token of a model costs, in nano-dollars."""

    input_nanousd: int
    output_nanousd: int

    @classmethod
    def per_million(cls, input_usd: float, output_usd: float) -> "Price":
        """Return the price given in dollars per million tokens, rounded up to a nano-dollar a token."""
        return cls(input_nanousd=_ceil(input_usd * 1000), output_nanousd=_ceil(output_usd * 1000))

    def cost_nanousd(self, prompt_tokens: int, completion_tokens: int) -> int:
        """Return what a call with these tokens costs, in nano-dollars."""
        return prompt_tokens * self.input_nanousd + completion_tokens * self.output_nanousd


PriceTable = Mapping[str, Price]


def _ceil(nanousd: float) -> int:
    """Round up, but not for the last bit of a float: 0.1 * 1000 is 100, not 101."""
    whole = round(nanousd)
    return whole if abs(nanousd - whole) < 1e-6 else int(nanousd) + 1


def count_tokens(text: str) -> int:
    """Return the estimate of a text's tokens: one per four bytes of UTF-8, rounded up."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // 4)


def usd(nanousd: int) -> float:
    """Return dollars, for people and JSON only."""
    return nanousd / NANOUSD_PER_USD


def usd_text(nanousd: int) -> str:
    """Return dollars with all nine digits, for a header: never in scientific notation."""
    return f"{nanousd // NANOUSD_PER_USD}.{nanousd % NANOUSD_PER_USD:09d}"


def nanousd(dollars: float) -> int:
    """Return dollars as whole nano-dollars, rounded down: a cap is never raised by rounding."""
    return int(dollars * NANOUSD_PER_USD + 1e-6)
