"""Close the samples: what the workers streamed, joined with what the provider recorded."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from harness.measure.faults import exposure, records_of
from harness.measure.requests import numbers
from harness.model.outcome import Result
from harness.rundir import RunDirectory
from harness.rundir.schemas import SAMPLES_SCHEMA


def close_samples(run: RunDirectory) -> None:
    """Write `samples.parquet`: the streamed rows with `exposed_to`, `call_ids` and `metered_*` filled in.

    metered_cost_usd: the cost of every call that the request caused; 0.0 where it caused none, null where it was
    never sent. metered_fallback: whether the call that gave the answer went to the secondary; null for a request that
    was not answered, or not by a call. Both stay null where the provider left no records.
    Raises RunDirectoryError, StorageError.
    """
    samples = run.streamed_samples()
    intended, started, ended = (numbers(samples, name) for name in ("intended_ns", "started_ns", "ended_ns"))
    faults = records_of(run.read_plan(), run.journal())
    exposed = exposure(faults, intended.astype(np.int64), started, ended)
    columns: dict[str, pa.Array] = {"exposed_to": _names_where(exposed, len(samples))}
    if (calls := calls_of(run)) is not None:
        owner = sample_of_call(samples, calls)
        known = owner >= 0
        cost = np.bincount(owner[known], weights=numbers(calls, "cost_usd")[known], minlength=len(samples))
        columns["metered_cost_usd"] = pa.array(cost, mask=np.isnan(started))
        columns["metered_fallback"] = _answered_by_secondary(samples, calls, owner)
        columns["call_ids"] = _grouped(calls["call_id"].combine_chunks(), owner, len(samples))
    for name, column in columns.items():
        field = SAMPLES_SCHEMA.field(name)
        samples = samples.set_column(SAMPLES_SCHEMA.get_field_index(name), field, column.cast(field.type))
    run.write_samples(samples)


def close_run(run: RunDirectory) -> bool:
    """Close what the workers left as streams; return whether it was still to be done. Their rows are in one place then.

    Raises RunDirectoryError, also where the run is still going on; StorageError.
    """
    run.must_be_over()
    if run.samples_path.is_file():
        return False
    close_samples(run)
    run.drop_streams()
    return True


def seal(run: RunDirectory) -> None:
    """Write the digests of a run that was closed just now; never anew over those that there are. Raises StorageError."""
    if not run.manifest_path.exists():
        run.write_manifest()


def calls_of(run: RunDirectory, columns: Sequence[str] | None = None) -> pa.Table | None:
    """Return the provider's records; None where there are none. Raises RunDirectoryError where they are damaged."""
    return run.calls(columns) if (run.path / "truth" / "calls.parquet").exists() else None


def sample_of_call(samples: pa.Table, calls: pa.Table) -> npt.NDArray[np.int64]:
    """Return for each call the row of the sample that caused it, -1 where none is known.

    By request id where it was passed on, else by the tag in the prompt. A request id that two samples carry names
    neither of them.
    """
    ids = samples["request_id"].combine_chunks()
    order = pc.value_counts(ids.drop_null())
    unique = order.field("values").filter(pc.equal(order.field("counts"), 1))
    row_of_id = pc.index_in(ids, value_set=unique)  # position among the unique ids, null elsewhere
    rows = np.full(len(unique), -1, dtype=np.int64)
    holders = pc.is_valid(row_of_id).to_numpy(zero_copy_only=False)
    rows[row_of_id.drop_null().to_numpy()] = np.flatnonzero(holders)
    by_id = pc.index_in(calls["request_id"].combine_chunks(), value_set=unique)
    tags = pc.struct_field(pc.extract_regex(calls["tag"].combine_chunks(), r"^(?:\[hs:)?(?P<seq>\d{1,18})\]?$"), "seq")
    by_tag = pc.index_in(tags.cast(pa.int64()), value_set=samples["seq"].combine_chunks())
    owner = _positions(by_id)
    owner[owner >= 0] = rows[owner[owner >= 0]]
    return np.where(owner >= 0, owner, _positions(by_tag))


def _positions(indices: pa.Array) -> npt.NDArray[np.int64]:
    return np.asarray(pc.fill_null(indices, -1).to_numpy(zero_copy_only=False), dtype=np.int64)


def _answered_by_secondary(samples: pa.Table, calls: pa.Table, owner: npt.NDArray[np.int64]) -> pa.Array:
    # A service tries its models one after the other: the completed call that the provider received last is the answer.
    completed = pc.and_(pc.equal(calls["ended"], "completed"), pc.less(pc.fill_null(calls["status_code"], 0), 400))
    use = np.flatnonzero(completed.to_numpy() & (owner >= 0))
    received = numbers(calls, "received_ns")
    use = use[np.argsort(received[use], kind="stable")]
    secondary = pc.equal(calls["endpoint"], "secondary").to_numpy()
    last = np.full(len(samples), -1, dtype=np.int8)
    last[owner[use]] = secondary[use]  # of several assignments to one row, the last stays
    answered = pc.equal(samples["result"], Result.ANSWERED.value).to_numpy()
    return pa.array(last == 1, mask=~answered | (last < 0))


def _grouped(values: pa.Array, owner: npt.NDArray[np.int64], size: int) -> pa.Array:
    known = np.flatnonzero(owner >= 0)
    order = known[np.argsort(owner[known], kind="stable")]
    offsets = np.concatenate(([0], np.cumsum(np.bincount(owner[known], minlength=size))))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values.take(pa.array(order)))


def _names_where(masks: dict[str, npt.NDArray[np.bool_]], size: int) -> pa.Array:
    if not masks:
        return pa.ListArray.from_arrays(pa.array(np.zeros(size + 1, dtype=np.int32)), pa.array([], pa.string()))
    table = np.stack(list(masks.values()), axis=1)  # row by row, so that names come out grouped by request
    offsets = np.concatenate(([0], np.cumsum(table.sum(axis=1))))
    names = pa.array(list(masks)).take(pa.array(np.nonzero(table)[1]))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), names)
