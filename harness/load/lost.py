"""The rows of a worker that died: every arrival of its part that it had not recorded, marked `worker_lost`."""

from harness.exchange import never_answered
from harness.load.recorder import Recorder
from harness.load.schedule import build_schedule
from harness.load.wording import request_id_prefix
from harness.model.error_kind import ErrorKind
from harness.model.plan import Plan
from harness.rundir import RunDirectory
from harness.rundir.schemas import SAMPLES_SCHEMA
from harness.rundir.tables import StreamWriter, read_stream


def write_lost_rows(directory: RunDirectory, plan: Plan, *, worker: int, workers: int) -> int:
    """Write the rows that a lost worker left unwritten, beside those it wrote; return how many.

    They are `unsent`: some may have gone out in its last second, but nobody can say any more. Raises StorageError.
    """
    schedule = build_schedule(plan, worker=worker, workers=workers)
    path = directory.samples_stream_path(worker)
    recorded = set(read_stream(path, SAMPLES_SCHEMA)["seq"].to_pylist()) if path.is_file() else set()
    missing = [index for index, seq in enumerate(schedule.seq) if seq not in recorded]
    recorder = Recorder(
        StreamWriter(path.with_name(f"{path.stem}-lost.arrows"), SAMPLES_SCHEMA),
        schedule,
        worker=worker,
        id_prefix=request_id_prefix(plan.run_id),
    )
    outcome = never_answered(ErrorKind.WORKER_LOST, None)
    for index in missing:
        recorder.record(index, outcome)
    recorder.close()
    return len(missing)
