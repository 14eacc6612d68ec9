"""A fault that cannot be proved clear makes the run invalid, loudly."""

import json
import os
import signal
from pathlib import Path

from fault_runs import journal, scenario, terminal, wait_for


def pid_of(module: str, temporary: str) -> int:
    """Return the process of a module that was started in this terminal."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                mine = temporary.encode() in (entry / "environ").read_bytes()
                if mine and module.encode() in (entry / "cmdline").read_bytes().split(b"\0"):
                    return int(entry.name)
            except OSError:
                continue
    raise AssertionError(f"no {module} runs")


def test_a_fault_proxy_that_is_gone_in_the_middle_ends_the_run_and_says_what_was_not_proved(tmp_path: Path) -> None:
    out = tmp_path / "run"
    path = scenario(tmp_path / "s.yaml", steady="3s", outage="4s", recovery="2s")
    with terminal(tmp_path) as user:
        run = user.begin("run", str(path), "--out", str(out), "--no-rehearsal")
        try:
            wait_for(out / "journal.jsonl", "fault.confirmed")
            os.kill(pid_of("harness.faultproxy", user.environment["TMPDIR"]), signal.SIGKILL)
            _, told = run.communicate(timeout=100)
        finally:
            run.kill()
            run.communicate()
        assert list((user.state / "llm-harness").iterdir()) == []
    assert run.returncode == 5, told
    assert "WARNING: a fault could not be proved clear" in told
    failed = [entry for entry in journal(out) if entry["event"] == "fault.failed"]
    assert {entry["data"]["step"] for entry in failed} == {"clear"}
    verdict = json.loads((out / "verdict.json").read_text())
    assert verdict["verdict"] == "invalid"
    (fault,) = verdict["faults"]
    assert fault["confirmed_ns"] is not None
    assert fault["proved_clear_ns"] is None
