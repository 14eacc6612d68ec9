"""What becomes of a run that could not even begin."""

from pathlib import Path

import pytest

from harness.cli.options import make_target
from harness.errors import StorageError
from harness.readiness.history import read_history
from harness.run import session
from harness.run.interruption import Interruption
from harness.run.session import RunRequest, run_scenario
from harness.scenario import find_scenario, read_scenario


def test_a_disk_that_is_full_before_the_plan_is_written_is_what_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise StorageError("cannot write plan.json: No space left on device")

    monkeypatch.setattr(session, "conduct", full)
    request = RunRequest(
        scenario=read_scenario(find_scenario("steady-load")),
        target=make_target("embedded", 1),
        out=tmp_path / "run",
        history=tmp_path / "history.jsonl",
    )
    with Interruption() as interruption:
        result = run_scenario(request, interruption=interruption, view=lambda *_: pytest.fail("nothing began"))
    assert isinstance(result.trouble, StorageError)
    assert result.verdict is None
    assert read_history(tmp_path / "history.jsonl").problems == ()
