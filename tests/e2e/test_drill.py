"""A drill at a real terminal: it is asked before anything breaks, notes land in the journal, one key heals and ends it."""

import contextlib
import os
import pty
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_runs import Terminal, journal, scenario, terminal, wait_for


@pytest.fixture
def user(tmp_path: Path) -> Iterator[Terminal]:
    with terminal(tmp_path) as user:
        yield user


class Screen:
    """A process on a terminal of its own; what it wrote is kept."""

    def __init__(self, user: Terminal, *arguments: str) -> None:
        self._master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "harness", *arguments],
            stdin=self.slave, stdout=self.slave, stderr=self.slave, env={**user.environment, "TERM": "xterm", "COLUMNS": "150"},
        )  # fmt: skip
        self._seen = bytearray()
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def text(self) -> str:
        return self._seen.decode("utf-8", "replace")

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def wait_for(self, text: str, within_s: float = 60) -> None:
        deadline = time.monotonic() + within_s
        while text not in self.text:
            assert time.monotonic() < deadline, f"the screen never said {text!r}: {self.text[-3000:]}"
            assert self.process.poll() is None or text in self.text, self.text[-3000:]
            time.sleep(0.05)

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self._master, 65536):
                self._seen += data


@pytest.mark.alone(but="patient")
def test_a_drill_asks_takes_notes_and_ends_healed_at_one_key(user: Terminal, tmp_path: Path) -> None:
    out = tmp_path / "run"
    path = scenario(tmp_path / "s.yaml", steady="11s", outage="60s")
    screen = Screen(user, "drill", str(path), "--out", str(out))
    try:
        screen.wait_for("start the load?")
        for told in (
            "hypothesis",
            "no abort condition is written",
            "none is written: the scenario has no `roll_back`",
            "timeout at provider.primary",
        ):
            assert told in screen.text
        assert not out.exists(), "nothing is started before the first go"
        screen.press("y\n")
        wait_for(out / "journal.jsonl", '"drill.asked"')
        screen.wait_for("GO?")
        screen.press("tgxé pager\r")  # in a note, g and x are letters
        screen.press("g")
        deadline = time.monotonic() + 40
        while not [e for e in journal(out) if e["event"] == "fault.confirmed" and not e["data"].get("rehearsal")]:
            assert time.monotonic() < deadline, screen.text[-2000:]
            time.sleep(0.1)
        noted = user.harness("note", "the pager", "went off", "--as", "Kim")
        assert noted.returncode == 0, noted.stderr
        screen.press("x")
        assert screen.process.wait(timeout=40) == 6, screen.text[-3000:]
        screen.wait_for("debrief.md")
        assert termios.tcgetattr(screen.slave) == screen.before, "the terminal is as it was"
    finally:
        screen.process.kill()
        screen.process.wait()
    entries = [e for e in journal(out) if not e["data"].get("rehearsal")]
    said = [(e["event"], e["subject"], e["data"].get("go", e["data"].get("text"))) for e in entries
            if e["event"] in ("drill.answered", "note")]  # fmt: skip
    fault = next(e["subject"] for e in entries if e["event"] == "fault.confirmed")
    assert said == [
        ("drill.answered", "start", True),
        ("note", "key", "gxé pager"),
        ("drill.answered", fault, True),
        ("note", "Kim", "the pager went off"),
        ("drill.answered", "stop", False),
    ]
    events = [e["event"] for e in entries]
    assert events.index("drill.asked") < events.index("steady.checked") < events.index("fault.confirmed")
    assert events.index("aborted") < events.index("fault.proved_clear")
    debrief = (out / "debrief.md").read_text()
    assert "note by Kim: the pager went off" in debrief
    assert "the drill was stopped by hand" in debrief
    assert "_to be filled in_" in debrief
    (out / "debrief.md").unlink()
    user.harness("judge", str(out))
    assert (out / "debrief.md").read_text() == debrief, "it comes from the run directory alone"
    assert list((user.state / "llm-harness").iterdir()) == []


def test_a_dry_drill_tries_each_fault_and_leaves_nothing(user: Terminal, tmp_path: Path) -> None:
    path = scenario(tmp_path / "s.yaml", steady="30s")
    alone = user.harness("drill", str(path))
    assert alone.returncode == 2
    assert "--yes" in alone.stderr
    done = user.harness("drill", str(path), "--dry", "--json", "--out", str(tmp_path / "run"))
    assert done.returncode == 0, done.stderr
    assert "can be applied, confirmed, cleared and proved clear" in done.stderr
    assert '"ok": true' in done.stdout
    assert not (tmp_path / "run").exists()
    assert list((user.state / "llm-harness").iterdir()) == []
