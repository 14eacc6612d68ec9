"""Run directories that somebody cut, edited or lost a part of: an error with its place or no pass; never a traceback."""

import contextlib
import json
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from run_builder import RunBuilder, error_rate, fallback, latency, recovered, spend

from harness.errors import HarnessError
from harness.judge import judge
from harness.measure import measure
from harness.model.judgement import Status
from harness.rundir import RunDirectory

FILES = (
    "plan.json",
    "journal.jsonl",
    "live.jsonl",
    "samples/samples.parquet",
    "truth/calls.parquet",
    "manifest.json",
    "metrics/scrapes.jsonl",
    "logs/service-a.log",
    "exchanges/worker-000.jsonl",
)
WRONG = (None, True, -1, 0, 1e308, "", "NaN", [], {}, 2**70)


def cut(data: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data))] if data else data


def flipped(data: bytes, dice: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(1 + len(changed) // 200):
        if changed:
            changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def garbage(_: bytes, dice: random.Random) -> bytes:
    return dice.randbytes(300)


def emptied(_: bytes, __: random.Random) -> bytes:
    return b""


def doubled(data: bytes, _: random.Random) -> bytes:
    return data + data


def retyped(data: bytes, dice: random.Random) -> bytes:
    """Put a wrong value, or none, somewhere into a JSON document, or into a line of many."""
    lines = data.split(b"\n") if b"\n{" in data else [data]
    place = dice.randrange(len(lines))
    try:
        document = json.loads(lines[place])
    except ValueError:
        return data + b"\n{"
    here = document
    while isinstance(here, dict | list) and here:
        key = dice.choice(list(here)) if isinstance(here, dict) else dice.randrange(len(here))
        below = here[key]
        if not isinstance(below, dict | list) or not below or dice.random() < 0.3:
            if isinstance(here, dict) and dice.random() < 0.3:
                del here[key]
            else:
                here[key] = dice.choice(WRONG)
            break
        here = below
    lines[place] = json.dumps(document).encode()
    return b"\n".join(lines)


CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (cut, flipped, garbage, emptied, doubled, retyped, retyped)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A passed run, with everything in it that a run can have."""
    asked = (latency(), error_rate(), fallback(">=", 0.95, "outage"), recovered(), spend(5.0))
    files = {
        "metrics/scrapes.jsonl": '{"at_ns": 1, "instance": "a", "text": "x 1"}\n',
        "logs/service-a.log": '{"request_id": "req-1"}\n',
        "exchanges/worker-000.jsonl": '{"seq": 1, "response": "hello"}\n',
    }
    run = RunBuilder(objectives=asked, files=files).build(tmp_path_factory.mktemp("whole") / "run")
    run.drop_streams()  # as the end of a run does: what is left then is the only copy
    run.write_manifest()
    assert judge(run).verdict is Status.PASS
    return run.path


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_run_directory_is_told_or_judged_but_never_passes_unnoticed(whole: Path, tmp_path: Path, name: str) -> None:
    original = (whole / name).read_bytes()
    dice = random.Random(f"fuzz/{name}")
    for number in range(16):
        run = tmp_path / f"run{number}"
        shutil.copytree(whole, run)
        changed = CHANGES[number % len(CHANGES)](original, dice)
        (run / name).write_bytes(changed)
        try:
            verdict = judge(RunDirectory.open(run))
            measure(RunDirectory.open(run))
        except HarnessError:
            continue
        finally:
            shutil.rmtree(run)
        if changed != original and name not in ("manifest.json",):
            assert verdict.verdict is not Status.PASS, f"change {number} of {name} passed"


@pytest.mark.parametrize("name", FILES)
def test_a_part_that_is_missing_is_no_pass(whole: Path, tmp_path: Path, name: str) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    (run / name).unlink()
    with contextlib.suppress(HarnessError):
        assert judge(RunDirectory.open(run)).verdict is not Status.PASS


@pytest.mark.parametrize("name", FILES)
def test_damage_that_somebody_wrote_into_the_manifest_too_is_an_error_or_a_verdict(
    whole: Path, tmp_path: Path, name: str
) -> None:
    original = (whole / name).read_bytes()
    dice = random.Random(f"signed/{name}")
    for number, change in enumerate(CHANGES):
        run = tmp_path / f"run{number}"
        shutil.copytree(whole, run)
        (run / name).write_bytes(change(original, dice))
        with contextlib.suppress(HarnessError):  # anything else is a traceback
            directory = RunDirectory.open(run)
            if name != "manifest.json":
                directory.write_manifest()
            judge(directory)
            measure(directory)
        shutil.rmtree(run)


def of_a_later_version(path: Path) -> None:
    """Let a file say that it was written by a later harness."""
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        version = table.schema.metadata[b"schema"].decode()
        pq.write_table(table.replace_schema_metadata({"schema": version.replace("/1", "/2")}), path)
        return
    text = path.read_text("utf-8")
    assert "harness." in text
    path.write_text(re.sub(r"(harness\.[a-z_]+)/1\b", r"\1/2", text), "utf-8")


@pytest.mark.parametrize("name", ["plan.json", "samples/samples.parquet", "truth/calls.parquet", "manifest.json"])
def test_a_part_of_a_later_version_is_no_pass(whole: Path, tmp_path: Path, name: str) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    of_a_later_version(run / name)
    with contextlib.suppress(HarnessError):
        directory = RunDirectory.open(run)
        if name != "manifest.json":
            directory.write_manifest()
        assert judge(directory).verdict is not Status.PASS
