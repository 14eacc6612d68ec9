"""A second terminal has a hand on what is live, and a service that is not steady meets no fault."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_runs import Terminal, journal, scenario, terminal, wait_for


@pytest.fixture
def user(tmp_path: Path) -> Iterator[Terminal]:
    with terminal(tmp_path) as user:
        yield user


def test_a_second_terminal_lists_adds_clears_and_halts(user: Terminal, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert "nothing is live" in user.harness("ps").stderr
    assert user.harness("halt").returncode == 2
    path = scenario(tmp_path / "s.yaml", steady="60s", outage="10s")
    process = user.begin("run", str(path), "--out", str(out))
    try:
        wait_for(out / "journal.jsonl", "load.started")
        (live,) = json.loads(user.harness("ps", "--json").stdout)
        assert live["directory"] == str(out)
        assert live["pid"] == process.pid

        added = user.harness("fault", "add", "redis", "latency", "latency=250", "--for", "40s")
        assert added.returncode == 0, added.stderr
        assert "latency at links.redis  latency=250" in added.stdout
        listed = json.loads(user.harness("fault", "list", "--json").stdout)
        (fault,) = listed["active"]
        assert 0 < fault["left_s"] <= 40
        assert "links.redis" in listed["places"]

        wrong = user.harness("fault", "add", "redis", "latency", "latency=-5")
        assert wrong.returncode == 2
        assert "latency is -5" in wrong.stderr
        strange = user.harness("fault", "add", "redis", "latancy")
        assert "did you mean 'latency'?" in strange.stderr
        again = user.harness("fault", "add", "redis", "latency", "latency=100")
        assert again.returncode == 5
        assert "already under a latency" in again.stderr

        nobody = user.harness("fault", "clear", fault["id"] + "s")
        assert nobody.returncode == 2
        assert f"did you mean '{fault['id']}'?" in nobody.stderr
        assert user.harness("fault", "add", "redis", "down", "--for", "2h").returncode == 2
        assert user.harness("fault", "clear", fault["id"]).returncode == 0
        brief = user.harness("fault", "add", "links.redis", "down", "--for", "500ms")
        assert brief.returncode == 0, brief.stderr
        wait_for(out / "journal.jsonl", '"subject":"hand-3-down-links-redis","data":{"by":"proxy"', within_s=10)
        assert json.loads(user.harness("fault", "list", "--json").stdout)["active"] == []

        halted = user.harness("halt", live["name"], "--reason", "seen enough")
        assert halted.returncode == 0, halted.stderr
        _, told = process.communicate(timeout=40)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 6, told
    assert "halted by hand: seen enough" in told
    entries = journal(out)
    orders = [(e["subject"], e["data"]["done"]) for e in entries if e["event"] == "hand"]
    assert orders == [
        ("fault.add", False), ("fault.add", True),
        ("fault.add", False),
        ("fault.clear", False), ("fault.clear", True),
        ("fault.add", False), ("fault.add", True),
        ("halt", True),
    ]  # fmt: skip
    proved = [e["subject"] for e in entries if e["event"] == "fault.proved_clear" and not e["data"].get("rehearsal")]
    assert proved == ["hand-1-latency-links-redis", "hand-3-down-links-redis"]
    assert "nothing is live" in user.harness("ps").stderr
    assert list((user.state / "llm-harness").iterdir()) == []


def test_a_service_that_is_not_steady_meets_no_fault(user: Terminal, tmp_path: Path) -> None:
    out = tmp_path / "run"
    path = scenario(tmp_path / "s.yaml", steady="14s")
    process = user.begin("run", str(path), "--out", str(out), "--service", "fallback=off")
    try:
        wait_for(out / "journal.jsonl", "load.started")
        broken = user.harness("fault", "add", "primary", "status", "code=500", "--for", "60s")
        assert broken.returncode == 0, broken.stderr
        _, told = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 6, told
    assert "the service was not steady before the first fault" in told
    assert "requests were bad" in told
    entries = journal(out)
    (looked,) = [e for e in entries if e["event"] == "steady.checked"]
    assert looked["subject"] == "before"
    assert looked["data"]["steady"] is False
    assert looked["data"]["bad"] > 0.6 * looked["data"]["ended"]
    asked_for = [e["subject"] for e in entries if e["event"] == "fault.requested" and not e["data"].get("rehearsal")]
    assert asked_for == ["hand-1-status-provider-primary"]


def test_an_abort_condition_ends_the_run_healed(user: Terminal, tmp_path: Path) -> None:
    out = tmp_path / "run"
    abort = 'abort_when: [{error rate: "> 50%", for: 3s}]'
    path = scenario(tmp_path / "s.yaml", outage="30s", rest=abort)
    done = user.harness("run", str(path), "--out", str(out), "--service", "fallback=off", within_s=90)
    assert done.returncode == 6, done.stderr
    assert "above the abort limit of 50%" in done.stderr
    assert "blast radius: 1 fault(s) at provider.primary; 1 at once at most, 30 s the longest" in done.stderr
    events = [e["event"] for e in journal(out) if not e["data"].get("rehearsal")]
    assert events.index("steady.checked") < events.index("fault.confirmed") < events.index("aborted")
    assert events.index("aborted") < events.index("fault.proved_clear")
    aborted = next(e for e in journal(out) if e["event"] == "aborted")
    assert aborted["t_ns"] < 20e9, "long before the phase would have ended"
    assert list((user.state / "llm-harness").iterdir()) == []


def test_a_stack_for_exploring_takes_orders_too_and_ends_healed(user: Terminal) -> None:
    process = user.begin("serve")
    try:
        assert process.stdout is not None
        while not process.stdout.readline().startswith("key"):
            assert process.poll() is None
        for _ in range(100):
            if (live := json.loads(user.harness("ps", "--json").stdout)) != []:
                break
        assert live[0]["what"] == "a stack for exploring"
        plugin = str(Path(__file__).parents[2] / "examples" / "extensions" / "ours.py")
        unknown = user.harness("fault", "add", "redis", "write_pause")
        assert unknown.returncode == 2, "a file's kind is known where somebody names the file"
        own = ("redis", "write_pause", "lease_ms=20000", "--plugin", plugin)
        for fault in (own, ("worker", "kill"), ("redis", "latency", "latency=5"), ("postgres", "down")):
            added = user.harness("fault", "add", *fault, "--for", "60s")
            assert added.returncode == 0, added.stderr
        listed = json.loads(user.harness("fault", "list", "--json").stdout)
        assert [each["kind"] for each in listed["active"]] == ["write_pause", "kill", "latency", "down"]
        assert [each["kind"] for each in listed["plugins"]] == ["write_pause"], "from now on without the file"
        cleared = user.harness("fault", "clear", "--all")
        assert cleared.returncode == 0, cleared.stderr
        assert len(cleared.stdout.splitlines()) == 4
        assert user.harness("fault", "add", "redis", "freeze").returncode == 0
        assert user.harness("halt", "--all").returncode == 0
        process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0
    assert list((user.state / "llm-harness").iterdir()) == []
