"""What the records say about why requests were bad: counted, never guessed."""

import numpy as np

from harness.judge.wording import count, tally
from harness.measure.membership import Members
from harness.measure.reading import Reading
from harness.measure.requests import Mask
from harness.model.judged_time import own_faults
from harness.model.outcome import Result


def what_went_wrong(reading: Reading, members: Members, bad: Mask) -> str:
    """Return how the bad requests ended, and whether the second model was ever asked; empty where that says nothing."""
    requests = reading.requests
    parts = []
    ended = requests.result.counts(bad)
    failed = {name: number for name, number in ended.items() if name != Result.ANSWERED}
    if failed:
        codes = requests.status_code[bad & ~requests.answered]
        statuses, numbers_of = np.unique(codes[~np.isnan(codes)].astype(int), return_counts=True)
        with_status = {f"with status {code}": int(n) for code, n in zip(statuses, numbers_of, strict=True)}
        parts.append(f"they ended as {tally(ended)}" + (f" ({tally(with_status)})" if with_status else ""))
    if (asked := _second_model_calls(reading, members)) is not None:
        where, calls = asked
        parts.append(
            f"while {where} was under fault the provider saw "
            + (f"{count(calls, 'call')} to the second model" if calls else "no call to the second model at all")
        )
    return "; ".join(parts)


def _second_model_calls(reading: Reading, members: Members) -> tuple[str, int] | None:
    """Return the faulted provider and the secondary's calls while it was; None where no fault was at a provider."""
    own = {fault.id for fault in own_faults(reading.plan.faults, members.phase)}
    faults = [f for f in reading.faults if f.id in own and f.at == "provider.primary" and f.requested_ns is not None]
    if not faults or reading.calls is None:
        return None
    start = min(f.requested_ns for f in faults if f.requested_ns is not None)
    end = max(float("inf") if f.cleared_ns is None else f.cleared_ns for f in faults)
    return faults[0].at, reading.calls.to_endpoint("secondary", start, end)
