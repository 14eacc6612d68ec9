"""The embedded stack with its links through a real Toxiproxy, where a binary is at hand."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_runs import Terminal, journal, scenario, terminal

FAULTS = """[
      {at: provider.primary, kind: timeout},
      {at: links.redis, kind: latency, latency: 5},
      {at: links.postgres, kind: down, from: 1s, for: 1s}]"""


@pytest.fixture
def user(tmp_path: Path) -> Iterator[Terminal]:
    binary = os.environ.get("HARNESS_TOXIPROXY_SERVER") or shutil.which("toxiproxy-server")
    if not binary:
        pytest.skip("no toxiproxy-server: set HARNESS_TOXIPROXY_SERVER to its path")
    on_the_path = tmp_path / "bin"
    on_the_path.mkdir()
    (on_the_path / "toxiproxy-server").symlink_to(Path(binary).resolve())
    with terminal(tmp_path) as user:
        user.environment["PATH"] = f"{on_the_path}:{user.environment['PATH']}"
        yield user


def test_faults_are_applied_confirmed_and_proved_clear_on_the_real_server(user: Terminal, tmp_path: Path) -> None:
    out = tmp_path / "run"
    path = scenario(tmp_path / "s.yaml", FAULTS, steady="3s", outage="4s", recovery="4s")
    path.write_text(path.read_text().replace('"< 60%"', '"< 95%", during: steady'))
    done = user.harness("run", str(path), "--out", str(out), "--proxy", "toxiproxy", within_s=110)
    assert done.returncode == 0, done.stderr
    assert "Starting Toxiproxy" in (out / "logs" / "toxiproxy.log").read_text()
    assert not (out / "logs" / "faultproxy.log").exists()
    faults = json.loads((out / "verdict.json").read_text())["faults"]
    assert [fault["kind"] for fault in faults] == ["timeout", "latency", "down"]
    for fault in faults:
        assert fault["requested_ns"] < fault["confirmed_ns"] < fault["cleared_ns"] < fault["proved_clear_ns"]
    # It keeps no accounts: only what the kernel saw cut can be told.
    acted = {fault["kind"]: fault["acted"] for fault in faults}
    assert acted["timeout"] is None or acted["timeout"]["count"] is None
    assert acted["down"]["count"] > 0
    assert "fault.failed" not in [entry["event"] for entry in journal(out)]
    assert list((user.state / "llm-harness").iterdir()) == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("{at: provider.primary, kind: loss}", "a real Toxiproxy has no loss"),
        ("{at: provider.primary, kind: timeout, nth: 3}", "a real Toxiproxy picks no requests (nth)"),
    ],
)
def test_what_the_real_server_does_not_have_is_refused_before_anything_starts(
    user: Terminal, tmp_path: Path, fault: str, words: str
) -> None:
    path = scenario(tmp_path / "s.yaml", f"[{fault}]")
    refused = user.harness("plan", str(path), "--proxy", "toxiproxy")
    assert refused.returncode == 2
    assert words in refused.stderr
    assert user.harness("plan", str(path)).returncode == 0


def test_a_server_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with terminal(tmp_path) as user:
        user.environment["PATH"] = "/usr/bin:/bin"
        if shutil.which("toxiproxy-server", path=user.environment["PATH"]):
            pytest.skip("this machine has one in /usr/bin")
        refused = user.harness("plan", "provider-outage", "--proxy", "toxiproxy")
        assert refused.returncode == 2
        assert "there is no toxiproxy-server on the PATH" in refused.stderr
        other = user.harness("plan", "provider-outage", "--proxy", "embedded", "--target", "containers")
        assert other.returncode == 2
        assert "--proxy chooses the embedded target's fault proxy" in other.stderr
