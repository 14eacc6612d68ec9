"""Stopping is certain: whoever dies, and however, no process and no directory stays."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.errors import StackError, StorageError
from harness.target.supervise import clean_leftovers, marker
from harness.target.supervise.children import Spawn
from harness.target.supervise.procfs import Identity, identify, is_alive, send
from harness.target.supervise.supervisor import Supervisor, python_environment

CONTROL = """
import sys, time
from pathlib import Path
from harness.target.supervise.children import Spawn
from harness.target.supervise.supervisor import Supervisor
at = Path(sys.argv[1])
supervisor = Supervisor(logs=at / "logs", state_directory=at / "state")
(supervisor.directory / "data").mkdir()
for name in ("one", "two"):
    command = ["/bin/sh", "-c", "trap '' TERM; sleep 1000 & wait; wait"]
    child = supervisor.spawn(Spawn(name=name, command=command, environment={}, directory="/", log=str(at / (name + ".log"))))
print("up", flush=True)
time.sleep(1000)
"""


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    made = Supervisor(logs=tmp_path / "logs", state_directory=tmp_path / "state")
    yield made
    made.stop()
    assert not made.directory.exists()
    assert list((tmp_path / "state").iterdir()) == []


def shell(name: str, script: str, tmp_path: Path, **rest: object) -> Spawn:
    return Spawn(
        name=name,
        command=["/bin/sh", "-c", script],
        environment={"PATH": os.environ["PATH"]},
        directory="/",
        log=str(tmp_path / f"{name}.log"),
        **rest,  # type: ignore[arg-type]
    )


def until(what: Callable[[], object], within_s: float = 5.0) -> None:
    deadline = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.02)


@contextlib.contextmanager
def a_control_process(at: Path) -> Iterator[tuple[subprocess.Popen[bytes], marker.Marker]]:
    """Give a control process with a stack of two children and their children, and its marker."""
    control = subprocess.Popen([sys.executable, "-c", CONTROL, str(at)], stdout=subprocess.PIPE, env=python_environment())
    try:
        assert control.stdout is not None
        assert control.stdout.readline() == b"up\n"
        (found,) = marker.read_all(at / "state")
        yield control, found
    finally:
        control.kill()
        control.wait()
        clean_leftovers(at / "state")


def everyone_in(found: marker.Marker) -> list[Identity]:
    """Return the children and what they started: the sleeps that nobody told us of."""
    children = [child for _, child in found.children]
    deadline = time.monotonic() + 5
    grandchildren: list[int] = []
    while len(grandchildren) < 2 and time.monotonic() < deadline:  # a shell has its sleep a moment after its own start
        grandchildren = [
            int(pid) for child in children for pid in Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
        ]
    assert len(grandchildren) == len(children) == 2
    return [found.keeper, *children, *filter(None, map(identify, grandchildren))]


def test_a_killed_harness_leaves_no_process_no_directory_and_no_marker(tmp_path: Path) -> None:
    with a_control_process(tmp_path) as (control, found):
        everyone = everyone_in(found)
        control.kill()
        until(lambda: not any(map(is_alive, everyone)))
        until(lambda: not Path(found.directory).exists())
        until(lambda: marker.read_all(tmp_path / "state") == [])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_harness_ended_by_a_signal_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    with a_control_process(tmp_path) as (control, found):
        everyone = everyone_in(found)
        control.send_signal(number)
        until(lambda: not any(map(is_alive, everyone)))
        until(lambda: not Path(found.directory).exists())


def test_a_killed_keeper_takes_its_children_with_it_and_clean_finds_the_rest(tmp_path: Path) -> None:
    with a_control_process(tmp_path) as (control, found):
        control.send_signal(signal.SIGSTOP)  # so that it cannot clean up itself
        everyone = everyone_in(found)
        children = [child for _, child in found.children]
        send(found.keeper, signal.SIGKILL)
        until(lambda: not any(map(is_alive, children)))
        assert clean_leftovers(tmp_path / "state") == []  # its control process still lives
        strays = [identity for identity in everyone if is_alive(identity)]
        assert len(strays) == 2, "what the children started: nobody's children now"
        control.kill()
        control.wait()
        assert f"removed {found.directory}" in clean_leftovers(tmp_path / "state")
        assert not any(map(is_alive, strays))
        assert not Path(found.directory).exists()
        assert marker.read_all(tmp_path / "state") == []


def test_clean_ends_the_processes_of_a_dead_run(tmp_path: Path) -> None:
    with a_control_process(tmp_path) as (control, found):
        everyone = everyone_in(found)
        send(found.keeper, signal.SIGSTOP)  # a keeper that cannot do its work
        control.kill()
        control.wait()
        done = clean_leftovers(tmp_path / "state")
        assert f"ended one (pid {dict(found.children)['one'].pid}) of stack {found.stack_id}" in done
        assert not any(map(is_alive, everyone))
        assert not Path(found.directory).exists()


def test_stop_asks_politely_and_in_layers(supervisor: Supervisor, tmp_path: Path) -> None:
    order = tmp_path / "order"
    script = f"trap 'echo $0 >> {order}; exit 0' TERM; while :; do sleep 0.05; done"
    for name, layer in (("database", 2), ("proxy", 1), ("service", 0)):
        spawn = shell(name, script.replace("$0", name), tmp_path, stop_layer=layer)
        supervisor.spawn(spawn)
    time.sleep(0.3)  # a shell that has not set its trap yet would die of the signal
    supervisor.stop()
    assert order.read_text().split() == ["service", "proxy", "database"]


def test_frozen_and_stubborn_processes_are_ended_within_seven_seconds(supervisor: Supervisor, tmp_path: Path) -> None:
    frozen = supervisor.spawn(shell("frozen", "trap 'echo thawed; exit 0' TERM; echo up; while :; do sleep 0.05; done", tmp_path))
    until(lambda: (tmp_path / "frozen.log").read_text() == "up\n")
    send(frozen, signal.SIGSTOP)
    stubborn = supervisor.spawn(shell("stubborn", "trap '' TERM INT; while :; do sleep 1; done", tmp_path, stop_layer=1))
    began = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began < 7
    assert (tmp_path / "frozen.log").read_text() == "up\nthawed\n"
    assert not is_alive(frozen)
    assert not is_alive(stubborn)


def test_an_orphan_in_a_session_of_its_own_does_not_get_away(supervisor: Supervisor, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    supervisor.spawn(shell("parent", f"setsid sh -c 'echo $$ > {note}; exec sleep 1000' & sleep 0.2", tmp_path))
    until(lambda: supervisor.exits() == {"parent": 0})
    orphan = identify(int(note.read_text()))
    assert orphan is not None
    assert is_alive(orphan)
    supervisor.stop()
    assert not is_alive(orphan)


def test_an_end_is_told_with_its_code_and_a_new_start_takes_it_back(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.spawn(shell("x", "exit 7", tmp_path))
    until(lambda: supervisor.exits() == {"x": 7})
    again = supervisor.spawn(shell("x", "sleep 1000", tmp_path))
    assert supervisor.exits() == {}
    send(again, signal.SIGKILL)
    until(lambda: supervisor.exits() == {"x": -9})


def test_standard_input_larger_than_a_pipe_arrives_whole(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.spawn(shell("count", "wc -c", tmp_path, stdin="k" * 300_000))
    until(lambda: supervisor.exits() == {"count": 0})
    assert (tmp_path / "count.log").read_text().strip() == "300000"


def test_children_do_not_inherit_the_signals_that_the_keeper_ignores(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.spawn(shell("x", "grep SigIgn /proc/self/status", tmp_path))
    until(lambda: supervisor.exits() == {"x": 0})
    ignored = int((tmp_path / "x.log").read_text().split()[1], 16)
    assert not ignored & (1 << (signal.SIGTERM - 1) | 1 << (signal.SIGINT - 1))


def test_a_program_that_is_not_there_is_named(supervisor: Supervisor, tmp_path: Path) -> None:
    spawn = Spawn(name="ghost", command=["/no/such/program"], environment={}, directory="/", log=str(tmp_path / "ghost.log"))
    with pytest.raises(StackError, match="ghost could not be started: /no/such/program: No such file or directory"):
        supervisor.spawn(spawn)


def test_a_keeper_that_is_killed_is_told_of_and_stop_still_cleans_up(supervisor: Supervisor, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    child = supervisor.spawn(shell("x", f"sleep 1000 & echo $! > {note}; wait", tmp_path))
    until(lambda: note.exists() and note.read_text().strip())
    stray = identify(int(note.read_text()))
    assert stray is not None
    (found,) = marker.read_all(tmp_path / "state")
    send(found.keeper, signal.SIGKILL)
    until(lambda: supervisor.exits() == {"keeper": -9})
    until(lambda: not is_alive(child))
    supervisor.stop()
    assert not is_alive(stray)
    with pytest.raises(StackError, match="keeper"):
        supervisor.spawn(shell("y", "sleep 1000", tmp_path))


def test_a_state_directory_that_cannot_be_made_is_said_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(StorageError, match=r"cannot write .*file/state: Not a directory"):
        Supervisor(logs=tmp_path / "logs", state_directory=tmp_path / "file/state")
    assert not list(tmp_path.glob("llm-harness-*"))


def test_logs_that_cannot_be_written_are_said(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("")
    with pytest.raises(StorageError, match=r"cannot write .*logs"):
        Supervisor(logs=tmp_path / "logs", state_directory=tmp_path / "state")
