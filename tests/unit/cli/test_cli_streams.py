"""What becomes of a command whose output nobody reads, cannot be written, or was never open; and devices named as files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.rundir.files import write_named

HARNESS = [sys.executable, "-m", "harness"]


def test_a_reader_that_goes_away_is_no_failed_objective() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*HARNESS, "list", "checks"], stdout=writing, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(writing)
    assert (done.returncode, done.stderr) == (5, b"")


def test_an_output_that_is_full_is_told_and_no_bug() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*HARNESS, "list", "checks"], stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (5, b"error: the output cannot be written: No space left on device\n")


@pytest.mark.parametrize("closed", ["0<&-", ">&-", "2>&-", "0<&- >&- 2>&-"])
def test_streams_that_are_closed_are_as_good_as_nowhere(closed: str, tmp_path: Path) -> None:
    said = f"exec {sys.executable} -m harness validate provider-outage {closed}"
    done = subprocess.run(["bash", "-c", said], cwd=tmp_path, check=False, timeout=60)
    assert done.returncode == 0


def test_a_device_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_named(pipe, b"hello")
    assert os.read(reader, 9) == b"hello"
    os.close(reader)
    assert pipe.is_fifo(), "a file took the place of the pipe"
    write_named(tmp_path / "file", b"hello")
    assert (tmp_path / "file").read_bytes() == b"hello"
