"""Whether `kill -9` of the harness leaves anything: `python benchmarks/kill_nine.py [TIMES] [SEED]`.

Runs a 12 s scenario with faults on links, provider, processes and dependencies TIMES times (default 100) and kills the
control process at a random moment: four of five in the scenario itself, the others while the stack starts. Then it gives
what was started the length of a lease to notice, and looks: processes with this run's own environment, directories in
its TMPDIR, faults on an undo list, files in its state directory. Prints a line a kill and the count. 0 of 100 bounds the
rate at 3 % (95 % confidence), 0 of 25 at 11 %.
"""

import collections
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCENARIO = """
name: kill-nine
title: Twelve seconds in which much is broken
blast_radius: Two links, the provider, a store that stands still and a worker that dies.
load:
  arrivals: {process: constant, rate: 10/s}
  mix: {faq: 100%}
phases:
  - {name: steady, kind: steady, for: 3s}
  - name: broken
    kind: fault
    for: 7s
    faults:
      - {at: provider.primary, kind: timeout}
      - {at: provider.secondary, kind: status, code: 429, share: 0.2}
      - {at: links.postgres, kind: latency, latency: 20, from: 500ms}
      - {at: processes.redis, kind: freeze, from: 1s, for: 4s}
      - {at: processes.worker, kind: crash_loop, from: 2s, for: 3s}
      - {at: dependencies.postgres, kind: read_only, from: 5s, for: 1s, expects_action: false}
      - {at: processes.service-b, kind: starve, share: 0.5, from: 3s, for: 2s}
  - {name: recovery, kind: recovery, for: 2s}
objectives:
  - {error rate: "< 90%"}
"""
LENGTH_S = 12.0
AFTER_S = 2.0  # the run is judged and taken down
LEASE_S = 10.0
GRACE_S = 5.0


def main() -> int:
    """Kill and count; return 1 where anything was left."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    draw = random.Random(seed)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # what runs then is tidied up too
    _once(None, number=0)
    left_something = killed = 0
    moments: collections.Counter[str] = collections.Counter()
    while killed < times:
        under_load = draw.random() < 0.8
        at_s = draw.uniform(0.0, LENGTH_S + AFTER_S) if under_load else draw.uniform(0.2, 6.0)
        code, last_event, took_s, left = _once(at_s, number=killed + 1, under_load=under_load)
        if code != -9:  # it was over before: no kill
            continue
        killed += 1
        moments[last_event] += 1
        left_something += bool(left)
        what = f"LEFT {'; '.join(left)}" if left else f"nothing left after {took_s:.1f} s"
        since = "the load's start" if under_load else "its start"
        print(f"{killed:4} killed {at_s:4.1f} s after {since:16} last in the journal: {last_event:20} {what}", flush=True)
    print(f"moments: {', '.join(f'{name} {count}' for name, count in moments.most_common())}")
    print(f"{left_something} of {times} kills left something (seed {seed})")
    return 1 if left_something else 0


def _once(kill_at_s: float | None, *, number: int, under_load: bool = False) -> tuple[int, str, float, list[str]]:
    """Return (exit code, last event, seconds until nothing was left, what was left)."""
    home = Path(tempfile.mkdtemp(prefix=f"kill-nine-{number}-"))
    home.chmod(0o755)  # PostgreSQL's own user passes through
    try:
        temporary, state, out = home / "tmp", home / "state", home / "run"
        temporary.mkdir(mode=0o755)
        (home / "scenario.yaml").write_text(SCENARIO, encoding="utf-8")
        environment = {**os.environ, "TMPDIR": str(temporary), "XDG_STATE_HOME": str(state)}
        command = [sys.executable, "-m", "harness", "run", str(home / "scenario.yaml"), "--out", str(out)]
        with (home / "told").open("wb") as told:
            control = subprocess.Popen(command, stdout=told, stderr=told, env=environment)
        while under_load and control.poll() is None and not _told(out, "load.started"):
            time.sleep(0.05)
        try:
            control.wait(kill_at_s if kill_at_s is not None else 240)
        except subprocess.TimeoutExpired:
            control.kill()
        code = control.wait()
        if kill_at_s is None and code not in {0, 1, 3}:
            sys.exit(f"the run itself does not work (exit {code}):\n{(home / 'told').read_text()}")
        took_s, left = _wait_until_clean(temporary, state)
        return code, _last_event(out), took_s, left
    finally:
        for pid in _processes(home):
            subprocess.run(["kill", "-9", str(pid)], check=False, capture_output=True)  # counted; now tidy up
        shutil.rmtree(home, ignore_errors=True)


def _wait_until_clean(temporary: Path, state: Path) -> tuple[float, list[str]]:
    began = time.monotonic()
    while True:
        left = [f"process {_named(pid)}" for pid in _processes(temporary)]
        left += [f"directory {path.name}" for path in temporary.iterdir()]
        left += [f"state {path.name}: {_faults(path)}" for path in state.rglob("*") if path.is_file() or path.is_socket()]
        took_s = time.monotonic() - began
        if not left or took_s > LEASE_S + GRACE_S:
            return took_s, left
        time.sleep(0.1)


def _processes(temporary: Path) -> list[int]:
    """Every process with this run's own temporary directory in its environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if str(temporary).encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def _named(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")[:80]
    except OSError:
        return str(pid)


def _faults(path: Path) -> str:
    try:
        return f"faults {list(json.loads(path.read_bytes())['steps'])}"
    except (OSError, ValueError, KeyError, TypeError):
        return "a file"


def _told(out: Path, event: str) -> bool:
    try:
        return event in (out / "journal.jsonl").read_text(encoding="utf-8")
    except OSError:
        return False


def _last_event(out: Path) -> str:
    try:
        return str(json.loads((out / "journal.jsonl").read_text(encoding="utf-8").splitlines()[-1])["event"])
    except (OSError, ValueError, IndexError):
        return "before the journal"


if __name__ == "__main__":
    sys.exit(main())
