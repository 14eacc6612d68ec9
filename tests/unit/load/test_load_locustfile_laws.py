"""Users' locustfiles, in a process of its own, because Locust's import patches the process."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = "import locust, pytest, sys; sys.exit(pytest.main(sys.argv[1:]))"


@pytest.mark.timeout(320)  # the patient lane waits for everybody
def test_the_laws_of_locustfiles_hold() -> None:
    laws = Path(__file__).with_name("locustfile_laws.py")
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, "-q", "--no-header", "-p", "no:cacheprovider", str(laws)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]
    assert "passed" in ran.stdout
