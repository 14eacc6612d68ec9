"""Is the gate a gate? Eight planted defects in one service, each caught by its own result, and a healthy one that passes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from harness.cli.gate_rounds import rounds_of
from harness.rundir import RunDirectory
from harness.scenario.catchers import CATCHERS, IN_CI
from harness.target.embedded.defects import parts_of_defects

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(400)  # two runs, each once more where a busy machine told nothing


@pytest.fixture(scope="module")
def gate() -> Iterator[tuple[int, Path]]:
    """The exit code and the directory of one `verify-gate`: a healthy run and a broken one."""
    with TemporaryDirectory(prefix="gate-") as temporary:
        Path(temporary).chmod(0o755)
        environment = {**os.environ, "TMPDIR": temporary, "XDG_STATE_HOME": f"{temporary}/state", "NO_COLOR": "1"}
        out = Path(temporary) / "out"
        command = [sys.executable, "-m", "harness", "verify-gate", "--together", "--out", str(out)]
        done = subprocess.run(command, env=environment, cwd=ROOT, check=False, timeout=360)
        yield done.returncode, out


def trials(gate: tuple[int, Path]) -> dict[str | None, dict[str, object]]:
    return {trial["defect"]: trial for trial in json.loads((gate[1] / "gate.json").read_text())["trials"]}


def directory(gate: tuple[int, Path], defect: str | None) -> Path:
    """Return where the trial lies: beside the first try, where a busy machine needed a second one."""
    return gate[1] / str(trials(gate)[defect]["directory"])


def test_eight_defects_are_caught_in_one_run_each_by_its_own_result(gate: tuple[int, Path]) -> None:
    found = trials(gate)
    told = {name: (trial["finding"], trial["reason"]) for name, trial in found.items()}
    assert {name for name, trial in found.items() if trial["finding"] == "caught"} == set(IN_CI), told
    by = {tuple(trial["by"]) for name, trial in found.items() if name is not None}  # type: ignore[arg-type]
    assert len(by) == len(IN_CI)
    assert len({trial["directory"] for name, trial in found.items() if name is not None}) == 1
    assert found[None]["finding"] == "clean", told
    assert gate[0] == 0


def test_the_service_says_what_is_planted_in_it(gate: tuple[int, Path]) -> None:
    first = json.loads((directory(gate, IN_CI[0]) / "logs/service-a.log").read_text().splitlines()[0])
    assert first["event"] == "planted_defect"
    assert set(first["defect"].split("+")) == set(IN_CI)


def test_a_run_with_defects_is_labelled_and_of_another_version(gate: tuple[int, Path]) -> None:
    broken, healthy = (json.loads((directory(gate, each) / "verdict.json").read_text()) for each in (IN_CI[0], None))
    assert set(broken["labels"]["defect"].split("+")) == set(IN_CI)
    assert broken["target"]["version"] != healthy["target"]["version"]


def test_the_runs_of_one_stack_are_still_what_was_measured_when_it_has_ended(gate: tuple[int, Path]) -> None:
    for trial in trials(gate).values():
        run = RunDirectory.open(gate[1] / str(trial["directory"]))
        assert run.tampered() == []
        assert {"postgres.log", "redis.log", "balancer.log", "provider.log"} <= {path.name for path in run.logs.iterdir()}


def test_the_eight_share_a_round_as_planned() -> None:
    eight = [catcher for catcher in CATCHERS if catcher.defect in IN_CI]
    assert [len(each.planted) for each in rounds_of(eight, control=True, parts=parts_of_defects())] == [0, 8]
