"""Which runs a report is of: a run, several that were asked for together, and a directory with either in it."""

import json
from pathlib import Path

import pytest

from harness.errors import ConfigurationError
from harness.readiness import find_runs
from harness.run.release import default_release_out


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """As `reports` looks after a run, a bundle, and a release."""
    reports = tmp_path / "reports"
    for name in ("limits-1", "gate-1/01-limits", "gate-1/02-books", "gate-1/stack-logs", "readiness-1.4.0"):
        (reports / name).mkdir(parents=True)
    for name in ("limits-1", "gate-1/01-limits", "gate-1/02-books"):
        (reports / name / "plan.json").write_text("{}")
    (reports / "gate-1/run.json").write_text(json.dumps({"runs": [{"directory": "01-limits"}, {"directory": "02-books"}]}))
    (reports / "history.jsonl").touch()
    (reports / "latest").symlink_to("gate-1")
    return reports


def test_a_directory_with_runs_in_it_stands_for_all_of_them_each_once_and_by_its_own_name(reports: Path) -> None:
    paths, problems = find_runs([reports])
    assert [str(path.relative_to(reports)) for path in paths] == ["gate-1/01-limits", "gate-1/02-books", "limits-1"]
    assert problems == []
    assert find_runs([reports / "latest", reports / "limits-1", reports / "limits-1"])[0] == [
        reports / "latest/01-limits",
        reports / "latest/02-books",
        reports / "limits-1",
    ]


def test_a_run_that_its_index_names_and_that_is_not_there_blocks(reports: Path) -> None:
    (reports / "gate-1/02-books/plan.json").unlink()
    paths, (problem,) = find_runs([reports])
    assert [path.name for path in paths] == ["01-limits", "limits-1"]
    assert problem.blocks
    assert "02-books, and it is not there" in problem.text


@pytest.mark.parametrize("name", ["readiness-1.4.0", "gate-1/stack-logs", "absent"])
def test_a_directory_without_a_run_is_an_error(reports: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="no run is in it"):
        find_runs([reports / name])


def test_a_release_is_written_beside_the_runs(reports: Path) -> None:
    for given in (reports, reports / "limits-1", reports / "gate-1"):
        assert default_release_out([given], "1.4.0") == reports / "readiness-1.4.0"
