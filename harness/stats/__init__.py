"""Pure statistics for verdicts: exact bounds, sample sizes, effective sizes. Nothing is imported before it is needed."""

from harness.stats.bounds import (
    CONFIDENCE,
    Decision,
    ShareBounds,
    bounds_of_share,
    decide,
    fewest_bad_that_fails,
    most_bad_that_passes,
    needed,
    smallest_n_to_pass,
    wilson_interval,
)
from harness.stats.dependence import cautious_n, effective_n
from harness.stats.drills import recovery_probability_proved
from harness.stats.power import chance_of_fail, chance_of_pass, requests_for_fail, requests_for_pass
from harness.stats.quantiles import nearest_rank, rank_interval

__all__ = [
    "CONFIDENCE",
    "Decision",
    "ShareBounds",
    "bounds_of_share",
    "cautious_n",
    "chance_of_fail",
    "chance_of_pass",
    "decide",
    "effective_n",
    "fewest_bad_that_fails",
    "most_bad_that_passes",
    "nearest_rank",
    "needed",
    "rank_interval",
    "recovery_probability_proved",
    "requests_for_fail",
    "requests_for_pass",
    "smallest_n_to_pass",
    "wilson_interval",
]
