"""Many faults of many kinds in one run: each confirmed, acted, proved clear, and none held up by another."""

import json
from pathlib import Path

from fault_runs import journal, scenario, terminal

FAULTS = """
      - {at: links.redis, kind: latency, latency: 5, flap: {broken: 1s, whole: 1s}, for: 4s, id: flapping}
      - {at: links.postgres, kind: latency, latency: 5, ramp: {to: {latency: 25}, steps: 3}, for: 6s, id: ramp, expects_action: false}
      - {at: provider.primary, kind: status, code: 500, share: 0.5, id: errors}
      - {at: processes.service-a, kind: kill, from: 2s, for: 2s, id: dead}
      - {at: processes.worker, kind: crash_loop, from: 3s, for: 5s, down: 200, up: 300, id: loop}
      - {at: processes.service-b, kind: starve, share: 0.6, from: 4100ms, for: 2s, id: slow}
      - {at: dependencies.redis, kind: read_only, from: 7s, for: 2s, id: store}
      - {at: dependencies.postgres, kind: read_only, from: 7s, for: 3s, id: base}
      - {at: clocks.service-b, kind: clock_skew, offset: 3600, from: 9s, for: 2s, id: clock}
      - {at: dependencies.postgres, kind: slow_disk, flush: 20, from: 10500ms, for: 2s, id: disk, expects_action: false}
      - {at: links.postgres, kind: ports_exhausted, from: 8s, for: 1s, id: ports}
      - {at: provider.secondary, kind: slow_first_token, delay_ms: 50, from: 8s, for: 3s, id: second, expects_action: false}
"""


def test_a_composition_is_applied_acts_and_is_healed_as_planned(tmp_path: Path) -> None:
    out = tmp_path / "run"
    path = scenario(
        tmp_path / "s.yaml",
        FAULTS.replace("delay_ms: 50, ", ""),
        steady="4s",
        outage="13s",
        recovery="4s",
        more="stagger: 500ms,",
    )
    text = path.read_text()
    start, end = text.index("  - {name: outage"), text.index("  - {name: recovery")
    block = (
        f"  - name: outage\n    kind: fault\n    for: 13s\n    stagger: 500ms\n    faults:{FAULTS.replace('delay_ms: 50, ', '')}"
    )
    path.write_text((text[:start] + block + text[end:]).replace("< 60%", "< 95%"))
    with terminal(tmp_path) as user:
        done = user.harness("run", str(path), "--out", str(out), within_s=110)
        assert done.returncode == 0, done.stderr
        assert list((user.state / "llm-harness").iterdir()) == []
    plan = json.loads((out / "plan.json").read_text())
    faults = {fault["id"]: fault for fault in plan["faults"]}
    assert [fault["apply_ns"] / 1e9 for fault in plan["faults"][:2]] == [4, 6]
    entries = [entry for entry in journal(out) if not entry["data"].get("rehearsal")]
    moments = {(e["event"], e["subject"]): e["t_ns"] for e in entries}
    acted = {e["subject"]: e["data"]["count"] for e in entries if e["event"] == "fault.acted"}
    assert set(acted) == set(faults)
    for name, fault in faults.items():
        assert ("fault.proved_clear", name) in moments, name
        late_s = (moments["fault.requested", name] - fault["apply_ns"]) / 1e9
        assert late_s < 1.5, f"{name} was held up by others for {late_s:.1f} s"
    assert [e["subject"] for e in entries if e["event"] == "fault.failed"] == []
    for name in ("flapping-1", "flapping-2", "errors", "dead", "loop", "slow", "store", "base"):
        assert acted[name] > 0, name
    assert acted["clock"] is None, "who looked at a clock leaves no trace"
    assert [e["subject"] for e in entries if e["event"] == "steady.checked"] == ["before", "end"]
    cleared = [e for e in entries if e["event"] == "fault.cleared" and e["subject"] == "dead"]
    assert len(cleared) == 1
