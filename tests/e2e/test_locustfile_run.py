"""`harness run` with a locustfile in the target's description: planned, run, judged; a bad file ends it before anything starts."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from forge import run

from harness.rundir import RunDirectory

EXAMPLE = Path(__file__).parents[2] / "examples/locustfile"


def harness(*arguments: str | Path, within_s: float = 100) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "harness", *map(str, arguments)]
    return run(command, timeout_s=within_s)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The example, to be changed."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "example"))


def test_a_locustfile_is_run_by_a_scenario_and_its_requests_are_judged(copy: Path, tmp_path: Path) -> None:
    scenario = copy / "short.yaml"
    # Bounds that a crowded machine keeps to: what is tested here is not how fast it is.
    scenario.write_text(scenario.read_text().replace("p90 < 5s", "p90 < 30s").replace("p90 < 2s", "p90 < 30s"))
    ran = harness("run", scenario, "--target", copy / "target.yaml", "--out", tmp_path / "run", "--no-rehearsal")
    assert ran.returncode == 0, ran.stderr[-4000:]
    assert "Reader (weight 3, 3 tasks), Glancer (weight 1, 1 tasks)" in ran.stderr
    verdict = json.loads((tmp_path / "run/verdict.json").read_text())
    assert "only streamed answers decide ttft-p90" in verdict["labels"]["locustfile"]
    by_id = {(result["id"], result["phase"]): result for result in verdict["results"]}
    assert by_id["ttft-p90", "steady"]["test"]["n"] < by_id["latency-p90", "steady"]["test"]["n"]
    samples = RunDirectory.open(tmp_path / "run").samples().to_pylist()
    story = [row for row in samples if row["user_class"] == "story"]
    assert any(row["call_ids"] for row in story)  # joined with the provider's records
    assert any(row["result"] == "error" for row in story)  # the outage was felt
    assert all(row["first_content_ns"] is None for row in samples if not row["streamed"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import no_such_thing\n", "No module named 'no_such_thing' (locustfile.py:1)"),
        ("x = 1\n", "no user in the locustfile"),
    ],
)
def test_a_bad_locustfile_ends_a_run_before_anything_starts(copy: Path, tmp_path: Path, text: str, said: str) -> None:
    (copy / "locustfile.py").write_text(text)
    ran = harness("run", copy / "short.yaml", "--target", copy / "target.yaml", "--out", tmp_path / "run")
    assert ran.returncode == 2
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "starting" not in ran.stderr
    assert not (tmp_path / "run").exists()


def test_planning_and_validating_never_import_the_file(copy: Path, tmp_path: Path) -> None:
    mark = tmp_path / "imported"
    (copy / "locustfile.py").write_text(f"open({str(mark)!r}, 'w').close()\n")
    planned = harness("plan", copy / "short.yaml", "--target", copy / "target.yaml")
    assert planned.returncode == 0, planned.stderr
    assert "each a task of" in planned.stdout
    assert "decided only on answers that a task reads as a stream" in planned.stdout
    assert harness("validate", copy / "target.yaml").returncode == 0
    assert not mark.exists()
    (copy / "locustfile.py").write_text("def f(:\n")
    broken = harness("validate", copy / "target.yaml")
    assert broken.returncode == 2
    assert "target.yaml:5:24: 'locustfile.py' is no Python" in broken.stderr + broken.stdout
