"""Short runs of scenarios of one's own, and orders to them from a second terminal."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forge import run

SCENARIO = """
name: by-hand
title: A short run
blast_radius: The link to the primary provider.
load:
  arrivals: {{process: constant, rate: 10/s}}
  mix: {{faq: 100%}}
phases:
  - {{name: steady, kind: steady, for: {steady}}}
  - {{name: outage, kind: fault, for: {outage}, {more} faults: {faults}}}
  - {{name: recovery, kind: recovery, for: {recovery}}}
objectives:
  - {{error rate: "< 60%"}}
{rest}
"""


def scenario(
    path: Path,
    faults: str = "[{at: provider.primary, kind: timeout}]",
    *,
    steady: str = "6s",
    outage: str = "6s",
    recovery: str = "6s",
    more: str = "",
    rest: str = "",
) -> Path:
    path.write_text(SCENARIO.format(faults=faults, steady=steady, outage=outage, recovery=recovery, more=more, rest=rest))
    return path


class Terminal:
    """A user's environment of its own; every command of it is run there."""

    def __init__(self, state: Path, temporary: Path) -> None:
        self.state = state
        self.environment = {**os.environ, "XDG_STATE_HOME": str(state), "TMPDIR": str(temporary), "NO_COLOR": "1"}

    def harness(self, *arguments: str, within_s: float = 60) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "harness", *arguments]
        return run(command, timeout_s=within_s, env=self.environment)

    def begin(self, *arguments: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "harness", *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment)


@contextmanager
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    temporary = Path(tempfile.mkdtemp(prefix="fault-runs-"))  # not below pytest's own, which PostgreSQL's user may not enter
    temporary.chmod(0o755)
    yield Terminal(tmp_path / "state", temporary)
    shutil.rmtree(temporary, ignore_errors=True)


def wait_for(path: Path, text: str, within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while not (path.is_file() and text in path.read_text()):
        assert time.monotonic() < deadline, f"{path.name} never said {text}: {path.read_text() if path.is_file() else 'no file'}"
        time.sleep(0.05)


def journal(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "journal.jsonl").read_text().splitlines()]
