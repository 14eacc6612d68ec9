"""What the provider recorded of the requests of a check, as far as judges need it."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from harness.measure.columns import batches
from harness.measure.reading import Reading

_COLUMNS = ("request_id", "endpoint", "model", "prompt_tokens", "completion_tokens", "cost_usd", "ended")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSeen:
    """One call. ended: `completed`, `cut`, `client_gone` or `refused`."""

    endpoint: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    ended: str


def calls_by_request(reading: Reading, request_ids: Sequence[str]) -> dict[str, list[CallSeen]]:
    """Return the calls that each request id caused, in the order of the records; empty where there are none."""
    found: dict[str, list[CallSeen]] = {}
    if reading.calls is None or not request_ids:
        return found
    wanted = pa.array(request_ids, pa.string())
    for batch in batches(reading.run, "truth/calls.parquet", list(_COLUMNS)):
        mine = pc.fill_null(pc.is_in(batch.column(0).cast(pa.string()), value_set=wanted), False)
        rows = zip(*(batch.column(number).filter(mine).to_pylist() for number in range(len(_COLUMNS))), strict=True)
        for request_id, endpoint, model, prompt_tokens, completion_tokens, cost_usd, ended in rows:
            call = CallSeen(
                endpoint=str(endpoint),
                model=str(model),
                prompt_tokens=int(prompt_tokens),
                completion_tokens=int(completion_tokens),
                cost_usd=float(cost_usd),
                ended=str(ended),
            )
            found.setdefault(str(request_id), []).append(call)
    return found
