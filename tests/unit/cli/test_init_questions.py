"""`harness init` asks a person at a terminal, and nobody else; what it writes from the answers can be read."""

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.target.description import read_description

ROOT = Path(__file__).parents[3]


def at_a_terminal(directory: Path, *answers: str, more: tuple[str, ...] = ()) -> tuple[int, str]:
    """Run `harness init` with a terminal of its own and type an answer to each prompt; return its code and what it showed."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "SERVICE_KEY": "sk-of-the-tests"}
    command = [sys.executable, "-m", "harness", "init", str(directory), *more]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True)
    os.close(theirs)
    shown, waiting, deadline = "", list(answers), time.monotonic() + 60
    seen = 0
    try:
        while time.monotonic() < deadline:
            if not select.select([ours], [], [], 0.2)[0]:
                if process.poll() is not None:
                    break
                continue
            try:
                shown += os.read(ours, 4096).decode("utf-8", "replace")
            except OSError:
                break  # the other end is closed
            if shown[seen:].rstrip(" ").endswith("]:") and waiting:
                seen = len(shown)
                os.write(ours, f"{waiting.pop(0)}\n".encode())
        return process.wait(30), shown
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(ours)


def test_a_person_is_asked_and_the_description_says_what_was_answered(tmp_path: Path) -> None:
    code, shown = at_a_terminal(
        tmp_path / "mine", "http://127.0.0.1:4321/", "n", "GATEWAY_KEY", "./run.sh --port 4321", "MODEL_URL"
    )
    assert code == 0, shown
    text = (tmp_path / "mine" / "target.yaml").read_text()
    document = read_description(tmp_path / "mine" / "target.yaml").document
    assert document.base_url == "http://127.0.0.1:4321"
    assert document.start is not None
    assert list(document.start.command) == ["./run.sh", "--port", "4321"]
    assert "${env:GATEWAY_KEY}" in text
    assert "MODEL_URL" in text
    assert document.provider is not None, "a service that the harness starts is pointed at the simulated provider"


def test_what_cannot_be_is_told_and_asked_again(tmp_path: Path) -> None:
    answers = (
        "localhost",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:4000",
        "n",
        "sk-1234 567",
        "-",
        "'",
        "./run.sh $PORT",
        "-",
    )
    code, shown = at_a_terminal(tmp_path, *answers)
    assert code == 0, shown
    assert "'localhost' is no address of a service; write it as http://127.0.0.1:4000" in shown
    assert "never the key itself" in shown
    assert shown.count("Where does your service answer?") == 3
    assert shown.count("Which command starts it?") == 3
    assert "no shell reads it" in shown
    assert "value: none" in (tmp_path / "target.yaml").read_text()


def test_enter_takes_what_is_offered(tmp_path: Path) -> None:
    code, shown = at_a_terminal(tmp_path, "", "", "", "")
    assert code == 0, shown
    assert read_description(tmp_path / "target.yaml").document.base_url == "http://127.0.0.1:4000"


@pytest.mark.parametrize("more", [("--no-questions",)])
def test_it_can_be_told_not_to_ask(tmp_path: Path, more: tuple[str, ...]) -> None:
    code, shown = at_a_terminal(tmp_path, more=more)
    assert code == 0
    assert "questions" not in shown


def test_nobody_is_asked_where_there_is_no_terminal(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "harness", "init", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, stdin=subprocess.PIPE, capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "?" not in done.stderr
    assert read_description(tmp_path / "target.yaml").document.base_url == "http://127.0.0.1:4000"
