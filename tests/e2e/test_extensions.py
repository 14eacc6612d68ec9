"""The walk through of docs/how-to/extend.md: a fault, a check and an objective of a file beside the scenario, on the real stack."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from fault_runs import Terminal, journal, terminal

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "extensions"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Terminal, Path, subprocess.CompletedProcess]]:
    place = tmp_path_factory.mktemp("extensions")
    with terminal(place) as here:
        out = place / "out"
        done = here.harness("run", str(EXAMPLE / "slow-store.yaml"), "--out", str(out), within_s=115)
        yield here, out, done


def test_the_run_says_whose_code_it_executes_and_reaches_a_verdict(run):
    _, out, done = run
    assert "plug-in ./ours.py (sha256 " in done.stderr
    assert done.returncode in (0, 1, 3, 4), done.stderr  # a noisy machine decides on the shares and the instrument
    plugins = json.loads((out / "plan.json").read_text())["plugins"]
    assert [(each["path"], each["brings"]) for each in plugins] == [
        ("./ours.py", ["alive beside a slow store", "short answers", "write_pause"])
    ]
    assert not list(EXAMPLE.rglob("__pycache__"))


def test_its_fault_was_applied_confirmed_and_proved_clear(run):
    _, out, _ = run
    events = [entry["event"] for entry in journal(out) if str(entry["subject"]).startswith("write-pause")]
    once = ["fault.requested", "fault.confirmed", "fault.cleared", "fault.proved_clear", "fault.acted"]
    assert events == once * 2, "once in the rehearsal and once under load, nothing in between"


def test_its_fault_was_felt_by_users(run):
    """Seen from the samples alone: requests of the fault's phase waited for the store, or were told that it is not there."""
    _, out, _ = run
    rows = pq.read_table(out / "samples" / "samples.parquet", columns=["phase", "result", "intended_ns", "ended_ns"]).to_pylist()

    def median_s(phase: str) -> float:
        took = sorted(r["ended_ns"] - r["intended_ns"] for r in rows if r["phase"] == phase and r["ended_ns"] is not None)
        return took[len(took) // 2] / 1e9

    refused = [r for r in rows if r["phase"] == "slow-store" and r["result"] != "answered"]
    assert refused or median_s("slow-store") > median_s("steady")


def test_its_check_and_its_objective_are_rows_of_the_verdict(run):
    """What they judged is looked at where it is kept: in the verdict a run on a noisy machine is invalid, row by row."""
    _, out, _ = run
    kept = {row["id"]: row for row in json.loads((out / "extensions.json").read_text())["judgements"]}
    assert set(kept) == {"alive-beside-a-slow-store", "short-answers"}
    assert kept["short-answers"]["status"] in ("pass", "inconclusive"), kept["short-answers"]["reason"]
    assert "were answered in less than five tokens" in kept["short-answers"]["reason"]
    alive = kept["alive-beside-a-slow-store"]
    assert alive["status"] in ("pass", "inconclusive"), alive["reason"]  # no answer within a second is told, and is no failure
    assert alive["test"]["n"] > 0
    verdict = {row["id"]: row for row in json.loads((out / "verdict.json").read_text())["results"]}
    for name, row in kept.items():
        assert verdict[name]["status"] in (row["status"], "invalid")
        assert row["reason"] in verdict[name]["reason"]


def test_judging_again_runs_none_of_it_and_comes_to_the_same(run):
    here, out, _ = run
    before = {(row["id"], row["phase"]): row["status"] for row in json.loads((out / "verdict.json").read_text())["results"]}
    again = here.harness("judge", str(out))
    assert "plug-in" not in again.stderr.split("report")[0]
    after = {(row["id"], row["phase"]): row["status"] for row in json.loads((out / "verdict.json").read_text())["results"]}
    assert after == before
    assert (out / "verdicts" / "002.json").is_file()
