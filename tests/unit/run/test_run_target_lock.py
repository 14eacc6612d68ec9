"""Two runs are never on one target; a target of which each run has its own is free."""

import os
from pathlib import Path

import pytest

from harness.errors import StackError
from harness.run.target_lock import sole_run
from harness.target.description import read_description
from harness.target.embedded import EmbeddedTarget
from harness.target.external import ExternalTarget


def described(tmp_path: Path, url: str, more: str = "") -> ExternalTarget:
    path = tmp_path / "target.yaml"
    path.write_text(f'name: t\nbase_url: "{url}"\nauth: {{value: none}}\n{more}')
    return ExternalTarget(read_description(path))


def test_a_second_run_is_told_who_holds_the_target_and_may_begin_once_it_is_over(tmp_path: Path) -> None:
    first = described(tmp_path, "http://127.0.0.1:9")
    second = described(tmp_path, "http://localhost:9/")
    other = described(tmp_path, "http://127.0.0.1:10")
    with sole_run(first):
        with pytest.raises(StackError, match=rf"another run \(pid {os.getpid()}\) is on this target") as caught, sole_run(second):
            pass
        assert "harness ps" in str(caught.value)
        with sole_run(other):
            pass
    with sole_run(second):
        pass


def test_targets_that_are_made_for_each_run_need_no_lock(tmp_path: Path) -> None:
    made = described(tmp_path, "http://127.0.0.1:${port}", 'start: {command: ["x"]}\n')
    with sole_run(EmbeddedTarget()), sole_run(EmbeddedTarget()), sole_run(made), sole_run(made):
        pass
