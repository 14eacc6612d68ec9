import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from load_plans import burst, plan

from harness.errors import StorageError
from harness.exchange import Outcome
from harness.load.recorder import Recorder
from harness.load.schedule import Schedule, build_schedule
from harness.model.error_kind import ErrorKind
from harness.model.outcome import Refusal, Result, Source
from harness.rundir.schemas import SAMPLES_SCHEMA
from harness.rundir.tables import StreamWriter, read_stream

SCHEDULE = build_schedule(plan(bursts=(burst(),)))
NOTHING_YET = replace(plan(), load=replace(plan().load, segments=()))
NUMBERS = ("first_byte_ns", "first_content_ns", "last_content_ns", "ended_ns", "gap_p95_ns", "gap_max_ns")


def recorder(path: Path, *, capacity: int = 8192, schedule: Schedule = SCHEDULE) -> Recorder:
    return Recorder(StreamWriter(path, SAMPLES_SCHEMA), schedule, worker=3, id_prefix="run-", capacity=capacity)


def rows(path: Path) -> list[dict[str, object]]:
    return read_stream(path, SAMPLES_SCHEMA).to_pylist()


def some_outcome(source: random.Random) -> Outcome:
    def maybe(value: object) -> object:
        return value if source.random() < 0.5 else None

    return Outcome(
        result=source.choice(list(Result)),
        source=maybe(source.choice(list(Source))),
        error_kind=maybe(source.choice(list(ErrorKind))),
        status_code=maybe(source.choice([200, 503, 599])),
        chunks=maybe(source.choice([0, 5])),
        prompt_tokens=maybe(source.choice([0, 2**31 - 1])),
        completion_tokens=maybe(7),
        claimed_cost_usd=maybe(source.choice([0.0, 0.25])),
        claimed_fallback=maybe(source.choice([True, False])),
        cache=maybe(source.choice(["hit", "miss", ""])),
        **{name: maybe(source.choice([0, 1, 10**15])) for name in NUMBERS},
    )


def test_what_is_recorded_is_what_is_read_with_nothing_for_what_did_not_happen(tmp_path: Path) -> None:
    source = random.Random(1)
    order = list(range(len(SCHEDULE)))
    source.shuffle(order)
    outcomes = {index: some_outcome(source) for index in order}
    sent = {index: source.random() < 0.8 for index in order}
    writer = recorder(tmp_path / "s", capacity=64)  # many chunks, each with new words
    for index in order:
        writer.record(index, outcomes[index], started_ns=index if sent[index] else None, pool_wait_ns=0 if sent[index] else None)
    writer.close()
    found = rows(tmp_path / "s")
    assert len(found) == len(order)
    for row, index in zip(found, order, strict=True):
        outcome, request = outcomes[index], SCHEDULE.requests[SCHEDULE.request[index]]
        for name in (*NUMBERS, "result", "source", "error_kind", "status_code", "chunks", "prompt_tokens", "completion_tokens"):
            assert row[name] == getattr(outcome, name), name
        for name in ("claimed_cost_usd", "claimed_fallback", "cache"):
            assert row[name] == getattr(outcome, name), name
        assert row["seq"] == SCHEDULE.seq[index]
        assert row["intended_ns"] == SCHEDULE.intended_ns[index]
        assert (row["user_class"], row["model"]) == (request.user_class.name, request.user_class.model)
        assert row["principal"] == SCHEDULE.principals[SCHEDULE.principal[index]]
        assert row["phase"] == SCHEDULE.phases[SCHEDULE.phase[index]]
        assert row["streamed"] == request.streamed
        assert (row["started_ns"], row["pool_wait_ns"]) == ((index, 0) if sent[index] else (None, None))
        assert row["request_id"] == (f"run-{row['seq']}" if sent[index] else None)
        assert (row["worker"], row["conversation"], row["turn"]) == (3, None, None)
        assert (row["exposed_to"], row["call_ids"]) == ([], [])
        assert (row["metered_cost_usd"], row["metered_fallback"]) == (None, None)


@pytest.mark.parametrize(
    ("in_burst", "result", "refusal", "expected"),
    [
        (True, Result.REFUSED, Refusal.BUDGET, True),
        (True, Result.REFUSED, Refusal.RATE, False),
        (False, Result.REFUSED, Refusal.BUDGET, False),
        (True, Result.ANSWERED, None, None),
        (False, Result.ERROR, None, None),
    ],
)
def test_only_a_bursts_refusal_for_its_budget_is_expected(
    tmp_path: Path, in_burst: bool, result: Result, refusal: Refusal | None, expected: bool | None
) -> None:
    writer = recorder(tmp_path / "s")
    writer.record(list(SCHEDULE.of_burst).index(in_burst), Outcome(result=result, refusal=refusal))
    writer.close()
    assert rows(tmp_path / "s")[0]["expected"] is expected
    assert rows(tmp_path / "s")[0]["refusal"] == refusal


def test_what_was_flushed_can_be_read_before_the_end(tmp_path: Path) -> None:
    writer = recorder(tmp_path / "s")
    for index in range(10):
        writer.record(index, Outcome(result=Result.ANSWERED))
    assert rows(tmp_path / "s") == []
    writer.flush()
    assert len(rows(tmp_path / "s")) == 10


def test_a_cache_signal_that_is_different_each_time_eats_no_memory(tmp_path: Path) -> None:
    writer = recorder(tmp_path / "s")
    for index in range(1000):
        writer.record(index, Outcome(result=Result.ANSWERED, cache=f"key-{index}"))
    writer.close()
    words = [row["cache"] for row in rows(tmp_path / "s")]
    assert words[:256] == [f"key-{index}" for index in range(256)]
    assert set(words[256:]) == {"(other)"}


def test_a_full_disk_is_an_error_that_says_where(tmp_path: Path) -> None:
    (tmp_path / "full").symlink_to("/dev/full")

    def record_one() -> None:
        writer = recorder(tmp_path / "full")
        writer.record(0, Outcome(result=Result.ANSWERED))
        writer.flush()

    with pytest.raises(StorageError, match="full: No space left on device"):
        record_one()


def test_a_sample_is_small_while_running_and_smaller_when_closed(tmp_path: Path) -> None:
    """At 1,000 a second, with every column of a stream that was answered."""
    import pyarrow.parquet as pq  # the one test that reads what the close writes

    source = random.Random(3)
    writer = recorder(tmp_path / "s")
    count = 20_000
    for number in range(count):
        at_ns = number * 1_000_000 + source.randrange(1_000_000)
        outcome = Outcome(
            result=Result.ANSWERED, source=Source.PRIMARY, status_code=200, first_byte_ns=at_ns + source.randrange(10**8),
            first_content_ns=at_ns + source.randrange(10**8, 2 * 10**8), last_content_ns=at_ns + source.randrange(2 * 10**8, 10**9),
            ended_ns=at_ns + source.randrange(10**9, 2 * 10**9), gap_p95_ns=source.randrange(10**7), gap_max_ns=source.randrange(10**8),
            chunks=source.randrange(20, 200), prompt_tokens=source.randrange(5, 500), completion_tokens=source.randrange(20, 200),
            claimed_cost_usd=source.random() / 1000, claimed_fallback=False, cache="miss",
        )  # fmt: skip
        writer.record(number % len(SCHEDULE), outcome, started_ns=at_ns, pool_wait_ns=source.randrange(10**5))
        if number % 1000 == 999:
            writer.flush()
    writer.close()
    assert (tmp_path / "s").stat().st_size / count <= 200  # docs/explanation/load.md says how far that is from the goal
    pq.write_table(read_stream(tmp_path / "s", SAMPLES_SCHEMA), tmp_path / "closed.parquet", compression="zstd")
    assert (tmp_path / "closed.parquet").stat().st_size / count <= 100


@pytest.mark.parametrize("schedule", [SCHEDULE, build_schedule(NOTHING_YET)], ids=["arrivals", "none yet"])
def test_a_rehearsal_leaves_nothing_behind(tmp_path: Path, schedule: Schedule) -> None:
    path = tmp_path / "0.arrows"
    writer = recorder(path, schedule=schedule)
    before = path.read_bytes()
    writer.rehearse()
    assert path.read_bytes() == before
    if len(schedule):
        writer.record(0, Outcome(result=Result.ANSWERED, cache="hit"))
    writer.close()
    assert [(row["result"], row["cache"]) for row in rows(path)] == ([("answered", "hit")] if len(schedule) else [])


def test_pyarrow_is_kept_from_importing_pandas_and_others_still_may() -> None:
    program = """
import sys
import pyarrow as pa
from harness.load.no_pandas import spare_pandas
spare_pandas()
pa.array(["a"])
print("pandas" in sys.modules, pa.array(["a", None]).to_pylist())
import pandas
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "False ['a', None]\n"
