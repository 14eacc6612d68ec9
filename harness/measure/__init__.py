"""From a run directory to numbers: joins, phases, exposure, recovery, instrument health."""

from harness.measure.close import close_run, close_samples, seal
from harness.measure.faults import fault_records
from harness.measure.reading import Reading, read_run
from harness.measure.summary import measure, summarise, write_measurements

__all__ = [
    "Reading",
    "close_run",
    "close_samples",
    "fault_records",
    "measure",
    "read_run",
    "seal",
    "summarise",
    "write_measurements",
]
