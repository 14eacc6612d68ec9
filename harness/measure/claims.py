"""What the target says of its answers, held against the provider's records, answer by answer."""

from dataclasses import dataclass

import numpy as np

from harness.measure.requests import Mask, Requests
from harness.model.outcome import Source

COST_TOLERANCE_RATIO = 0.01
"""Prices are rounded on their way through a header; a hundredth is no lie."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Claims:
    """claimed: answers that say something the provider's records can check. false: those of them that are wrong."""

    claimed: Mask
    false: Mask


def claims_of(requests: Requests) -> Claims:
    """Return which answers claim a cost, a fallback or a cache hit, and which of them are denied by the records.

    Of an attempt that was broken off nobody but the provider knows the bill, so that a careful service keeps what it
    had reserved: more than the meter is only false where the primary's one call gave the answer, and no polite sentence
    did. Less than it always is.
    """
    columns = requests.columns
    calls = columns.lengths("call_ids")
    cost, metered = requests.claimed_cost_usd, requests.metered_cost_usd
    said, was = columns.floats("claimed_fallback"), columns.floats("metered_fallback")
    of_cost = ~np.isnan(cost) & ~np.isnan(metered)
    with np.errstate(invalid="ignore"):
        apart = np.abs(cost - metered) > COST_TOLERANCE_RATIO * np.maximum(metered, 1e-9) + 1e-9
        one_call_gave_it = (calls == 1) & (was == 0) & requests.source.is_in([Source.PRIMARY])
        false_cost = of_cost & apart & ((cost < metered) | one_call_gave_it)
    of_fallback = ~np.isnan(said) & ~np.isnan(was)
    of_cache = requests.source.is_in([Source.CACHE])
    false = false_cost | (of_fallback & (said != was)) | (of_cache & (calls > 0))
    claimed = requests.answered & (of_cost | of_fallback | of_cache)
    return Claims(claimed=claimed, false=claimed & false)
