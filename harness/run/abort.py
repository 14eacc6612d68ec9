"""Abort conditions, watched on `live.jsonl` alone."""

from collections.abc import Sequence

from harness.model.live import LiveLine
from harness.model.outcome import BAD_RESULTS
from harness.model.plan import AbortCondition


def abort_reason(conditions: Sequence[AbortCondition], lines: Sequence[LiveLine], now_ns: int) -> str | None:
    """Return why the run must end, or None.

    A condition holds when, over the whole of its last `for_ns`, the share of bad requests was above its ratio.
    """
    for condition in conditions:
        since_ns = now_ns - condition.for_ns
        if since_ns < 0:
            continue
        recent = [line for line in lines if line.t_ns > since_ns]
        ended = sum(sum(line.results.values()) for line in recent)
        bad = sum(count for line in recent for result, count in line.results.items() if result in BAD_RESULTS)
        if ended > 0 and bad / ended > condition.error_ratio:
            seconds = condition.for_ns / 1e9
            return (
                f"{bad} of {ended} requests were bad over {seconds:.0f} s, above the abort limit of {condition.error_ratio:.0%}"
            )
    return None
