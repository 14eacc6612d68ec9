"""Fetch what the provider really did, and put it on the run's clock."""

from dataclasses import replace

import httpx
import msgspec
import pyarrow as pa

from harness.errors import StackError
from harness.model.plan import Clock
from harness.model.sample import Call
from harness.rundir import RunDirectory
from harness.rundir.schemas import CALLS_SCHEMA


def collect_calls(run: RunDirectory, control_url: str, clock: Clock) -> int:
    """Write `truth/calls.parquet` from the provider's records; return how many calls there were. Raises StackError."""
    calls: list[Call] = []
    after = 0
    try:
        with httpx.Client(base_url=control_url, trust_env=False, timeout=5.0) as client:
            while True:
                response = client.get("/calls", params={"after": after}).raise_for_status()
                page = msgspec.json.decode(response.content, type=list[Call])
                calls.extend(_on_run_clock(call, clock.zero_monotonic_ns) for call in page)
                following = int(response.headers["x-next"])
                if not page or following == after:
                    break
                after = following
            run.write_meter(client.get("/meter").raise_for_status().content)
    except (httpx.HTTPError, msgspec.MsgspecError, KeyError, ValueError) as error:
        raise StackError(f"the provider's records could not be read: {error}") from error
    columns = [pa.array([getattr(call, field.name) for call in calls], type=field.type) for field in CALLS_SCHEMA]
    run.write_calls(pa.table(columns, schema=CALLS_SCHEMA))
    return len(calls)


def _on_run_clock(call: Call, zero_ns: int) -> Call:
    def shift(moment_ns: int | None) -> int | None:
        return None if moment_ns is None else moment_ns - zero_ns

    return replace(
        call,
        received_ns=call.received_ns - zero_ns,
        first_content_ns=shift(call.first_content_ns),
        last_content_ns=shift(call.last_content_ns),
        ended_ns=shift(call.ended_ns),
    )
