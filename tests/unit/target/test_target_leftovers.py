import os
from pathlib import Path

import pytest
from test_target_marker import a_marker

from harness.target.supervise import clean_leftovers, marker, removal
from harness.target.supervise.procfs import identify


def a_stack_directory(parent: Path, stack_id: str) -> Path:
    directory = parent / f"llm-harness-{stack_id}"
    removal.make(directory, stack_id)
    (directory / "postgres").mkdir()
    (directory / "postgres/data").write_text("rows")
    return directory


def test_what_a_dead_run_left_is_removed_and_told(tmp_path: Path) -> None:
    directory = a_stack_directory(tmp_path, a_marker().stack_id)
    marker.write(tmp_path, a_marker(directory=str(directory)))
    assert clean_leftovers(tmp_path) == [f"removed {directory}"]
    assert not directory.exists()
    assert marker.read_all(tmp_path) == []
    assert clean_leftovers(tmp_path) == []


def test_a_run_whose_control_process_lives_is_never_touched(tmp_path: Path) -> None:
    directory = a_stack_directory(tmp_path, a_marker().stack_id)
    myself = identify(os.getpid())
    assert myself is not None
    marker.write(tmp_path, a_marker(directory=str(directory), control=myself))
    assert clean_leftovers(tmp_path) == []
    assert (directory / "postgres/data").exists()


def test_a_reused_pid_is_not_the_control_process(tmp_path: Path) -> None:
    myself = identify(os.getpid())
    assert myself is not None
    directory = a_stack_directory(tmp_path, a_marker().stack_id)
    other = type(myself)(pid=myself.pid, start_ticks=myself.start_ticks + 1)
    marker.write(tmp_path, a_marker(directory=str(directory), control=other))
    assert clean_leftovers(tmp_path) == [f"removed {directory}"]


def test_a_child_pid_that_now_belongs_to_somebody_else_is_left_alone(tmp_path: Path) -> None:
    myself = identify(os.getpid())
    assert myself is not None
    stranger = type(myself)(pid=myself.pid, start_ticks=myself.start_ticks - 1)
    marker.write(tmp_path, a_marker(directory=str(tmp_path / "absent")).with_child("postgres", stranger))
    assert clean_leftovers(tmp_path) == []  # and this test goes on living


@pytest.mark.parametrize("place", ["elsewhere boot pid:[1]", "{host} {boot} pid:[another-container]"])
def test_another_machine_or_container_is_left_alone(tmp_path: Path, place: str) -> None:
    host, boot, _ = marker.this_place().rsplit(" ", 2)
    directory = a_stack_directory(tmp_path, a_marker().stack_id)
    marker.write(tmp_path, a_marker(directory=str(directory), place=place.format(host=host, boot=boot)))
    assert clean_leftovers(tmp_path) == []
    assert directory.exists()


def test_after_a_reboot_the_directory_goes_and_no_pid_is_believed(tmp_path: Path) -> None:
    myself = identify(os.getpid())
    assert myself is not None
    host, _, namespace = marker.this_place().rsplit(" ", 2)
    directory = a_stack_directory(tmp_path, a_marker().stack_id)
    marker.write(tmp_path, a_marker(directory=str(directory), place=f"{host} earlier-boot {namespace}", control=myself))
    assert clean_leftovers(tmp_path) == [f"removed {directory}"]


@pytest.mark.parametrize("kind", ["unstamped", "foreign stamp", "link"])
def test_a_directory_that_is_not_the_stacks_is_never_removed(tmp_path: Path, kind: str) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "work").write_text("years of it")
    directory = precious
    if kind == "foreign stamp":
        directory = a_stack_directory(tmp_path, "fedcba9876543210")
    elif kind == "link":
        (precious / ".llm-harness-stack").write_text(a_marker().stack_id)
        directory = tmp_path / "llm-harness-link"
        directory.symlink_to(precious)
    before = sorted(directory.rglob("*"))
    marker.write(tmp_path, a_marker(directory=str(directory)))
    assert clean_leftovers(tmp_path) == [f"could not remove {directory}: remove it by hand"]
    assert sorted(directory.rglob("*")) == before
    assert (precious / "work").exists()
