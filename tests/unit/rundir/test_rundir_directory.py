"""The run directory: whole files, readable after a kill, and nothing read that was not written."""

import json
from dataclasses import fields, replace
from pathlib import Path

import pyarrow as pa
import pytest

from harness.errors import ConfigurationError, RunDirectoryError, StorageError
from harness.model.journal import Event
from harness.model.plan import Clock, LoadPlan, Phase, PhaseKind, Plan, ScenarioReference, TargetReference
from harness.model.sample import Call, Sample
from harness.rundir import RunDirectory
from harness.rundir.files import write_whole
from harness.rundir.schemas import CALLS_SCHEMA, SAMPLES_SCHEMA
from harness.rundir.tables import StreamWriter, read_stream

PLAN = Plan(
    run_id="r-1",
    created_at="2026-01-01T00:00:00+00:00",
    harness_version="0",
    scenario=ScenarioReference(name="s", title="S", path="s.yaml", digest="0" * 64),
    target=TargetReference(kind="embedded", name="reference service"),
    seed=1,
    phases=(Phase(name="steady", kind=PhaseKind.STEADY, start_ns=0, end_ns=10),),
    load=LoadPlan(segments=(), mix=(), streamed_ratio=0.5, principals=1, request_timeout_ns=1, drain_ns=1),
    faults=(),
    objectives=(),
)


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path / "run")


def test_the_columns_of_the_samples_are_the_fields_of_a_sample() -> None:
    assert SAMPLES_SCHEMA.names == [field.name for field in fields(Sample)]


def test_the_columns_of_the_calls_are_the_fields_of_a_call() -> None:
    assert CALLS_SCHEMA.names == [field.name for field in fields(Call)]


def test_a_directory_that_holds_something_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(ConfigurationError, match="not an empty directory"):
        RunDirectory.create(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_in_the_way_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("x")
    with pytest.raises(ConfigurationError):
        RunDirectory.create(tmp_path / "run")


def test_a_directory_without_a_plan_is_not_a_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no plan"):
        RunDirectory.open(tmp_path)


def test_a_plan_comes_back_as_it_was_written(run: RunDirectory) -> None:
    run.write_plan(PLAN)
    assert run.read_plan() == PLAN


def test_the_plan_digest_ignores_what_differs_from_run_to_run(run: RunDirectory, tmp_path: Path) -> None:
    run.write_plan(PLAN)
    other = RunDirectory.create(tmp_path / "other")
    other.write_plan(replace(PLAN, run_id="r-2", created_at="later", clock=Clock(zero_monotonic_ns=5, zero_wall_ns=6)))
    assert run.plan_digest() == other.plan_digest()
    other.write_plan(replace(PLAN, seed=2))
    assert run.plan_digest() != other.plan_digest()


def test_the_journal_keeps_order_and_moments_of_the_run(run: RunDirectory) -> None:
    run.record(Event.RUN_STARTED, "r-1")
    run.write_plan(replace(PLAN, clock=Clock(zero_monotonic_ns=0, zero_wall_ns=0)))
    run.record(Event.FAULT_REQUESTED, "f", at_ns=7, why="test")
    before, after = run.journal()
    assert before.t_ns is None
    assert (after.event, after.subject, after.t_ns, dict(after.data)) == (Event.FAULT_REQUESTED, "f", 7, {"why": "test"})


def test_a_last_line_cut_short_is_left_out_but_damage_in_the_middle_is_told(run: RunDirectory) -> None:
    run.record(Event.RUN_STARTED)
    path = run.path / "journal.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"event": "run.en')
    assert [entry.event for entry in run.journal()] == [Event.RUN_STARTED]
    path.write_bytes(b'{"event": "nonsense"}\n' + whole)
    with pytest.raises(RunDirectoryError, match=r"journal\.jsonl:1"):
        run.journal()


def test_a_stream_cut_at_any_byte_gives_back_its_whole_batches(tmp_path: Path) -> None:
    schema = pa.schema([("seq", pa.int64()), ("phase", pa.dictionary(pa.int32(), pa.string()))])
    path = tmp_path / "s.arrows"
    writer = StreamWriter(path, schema)
    sizes = [0]
    for batch in range(5):
        writer.write([[batch * 2, batch * 2 + 1], ["a", f"p{batch}"]])
        sizes.append(path.stat().st_size)
    writer.close()
    data = path.read_bytes()
    for cut in range(0, len(data), 7):
        path.write_bytes(data[:cut])
        whole = max(batch for batch, size in enumerate(sizes) if size <= cut)
        rows = read_stream(path, schema)["seq"].to_pylist()
        assert rows[: whole * 2] == list(range(whole * 2))
        assert len(rows) <= (whole + 1) * 2


def test_an_edited_file_is_noticed(run: RunDirectory) -> None:
    run.write_plan(PLAN)
    run.record(Event.RUN_STARTED)
    run.write_manifest()
    assert run.tampered() == []
    (run.path / "plan.json").write_bytes((run.path / "plan.json").read_bytes().replace(b'"seed": 1', b'"seed": 2'))
    assert run.tampered() == ["plan.json"]


def test_a_plan_of_a_later_shape_is_refused_with_its_place(run: RunDirectory) -> None:
    run.write_plan(PLAN)
    document = json.loads((run.path / "plan.json").read_text())
    document["phases"][0]["kind"] = "party"
    (run.path / "plan.json").write_text(json.dumps(document))
    with pytest.raises(RunDirectoryError, match=r"phases\[0\]"):
        run.read_plan()


def test_a_place_that_cannot_be_written_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("x")
    with pytest.raises(StorageError, match="cannot write"):
        write_whole(blocker / "below" / "x.json", b"{}")
    assert blocker.read_text() == "x"
