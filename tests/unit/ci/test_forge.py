"""The forge: what it gives birth to is to a test what a process that it started itself would be."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from forge import TESTS, Forged, exit_code_of, popen, run

PROVIDER = [sys.executable, "-m", "harness.provider"]
PIPE = subprocess.PIPE


def test_it_is_a_child_of_the_test_with_what_it_was_given(tmp_path: Path) -> None:
    with popen(PROVIDER, stdout=PIPE, cwd=tmp_path, env={"A": "b"}, start_new_session=True) as process:
        try:
            assert type(process) is Forged
            assert b'"ready"' in process.stdout.readline()
            place = Path(f"/proc/{process.pid}")
            status = dict(line.split(":\t", 1) for line in (place / "status").read_text().splitlines())
            assert int(status["PPid"]) == os.getpid()
            assert (place / "cwd").readlink() == tmp_path
            assert os.getsid(process.pid) == process.pid
            assert process.poll() is None
        finally:
            process.kill()
    assert process.returncode == -signal.SIGKILL
    assert not place.exists()


def pipes_of(pid: int) -> set[str]:
    files = [str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir() if file.exists()]
    return {file for file in files if "pipe:" in file}


def test_it_shares_no_pipe_with_us_but_its_own() -> None:
    with (
        popen(PROVIDER, stdin=PIPE, stdout=PIPE, stderr=PIPE) as one,
        popen(PROVIDER, stdin=PIPE, stdout=PIPE, stderr=PIPE) as another,
    ):
        try:
            for process in (one, another):
                process.stdout.readline()
                ends = [Path(f"/proc/self/fd/{end.fileno()}") for end in (process.stdin, process.stdout, process.stderr)]
                assert pipes_of(process.pid) & pipes_of(os.getpid()) == {str(end.readlink()) for end in ends}
        finally:
            one.kill()
            another.kill()


def test_it_ends_with_its_own_code_and_says_why_where_it_is_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run([*PROVIDER, "--control", f"127.0.0.1:{port}"], timeout_s=20)
    assert (ended.returncode, ended.stdout) == (5, "")
    assert "Address already in use" in ended.stderr
    assert run([*PROVIDER, "--relay"], given="{}\n", timeout_s=20).returncode == 2  # read from its standard input
    assert "--endpoint" in run([*PROVIDER, "--help"], timeout_s=20).stdout


def test_what_is_not_for_a_forge_is_started_as_ever() -> None:
    for command, how in (([sys.executable, "-c", ""], {}), ([*PROVIDER, "--help"], {"umask": 0o22})):
        with popen(command, stdout=subprocess.DEVNULL, **how) as process:
            assert type(process) is subprocess.Popen


def raises(end: BaseException) -> int:
    def main() -> int:
        raise end

    return exit_code_of(main)


def test_ends_are_told_as_python_tells_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert [exit_code_of(lambda code=code: code) for code in (None, 0, 3)] == [0, 0, 3]
    assert [raises(SystemExit(code)) for code in (None, 0, 2, "a reason")] == [0, 0, 2, 1]
    assert capsys.readouterr().err == "a reason\n"
    assert raises(ValueError("a bug")) == 1
    assert "ValueError: a bug" in capsys.readouterr().err


def test_a_program_that_starts_a_thread_when_it_is_imported_is_none_for_a_forge(tmp_path: Path) -> None:
    start = "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    (tmp_path / "threads.py").write_text(f"{start}def main():\n    pass\n")
    code = "import forge, socket\nforge.FAMILIES['x'] = ('threads',)\nforge.give_birth('x', socket.socketpair()[0])\n"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(tmp_path)])}
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=30, check=False)
    assert ended.returncode == 1
    assert "an import has started a thread" in ended.stderr
