"""What `harness run` does where nobody watches: a deadline is checked before anything starts, errors stand at their line."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from test_live_view import make_plan

from harness.cli.series import run_series
from harness.cli.unattended import annotation, deadline_ns, repeated, tell_pipeline
from harness.errors import ConfigurationError

PLAN = make_plan(clock=None)  # 60 s


def test_a_deadline_that_the_phases_do_not_keep_is_refused() -> None:
    assert deadline_ns(None, [PLAN]) is None
    assert deadline_ns("9m", [PLAN] * 8) == 540_000_000_000
    with pytest.raises(ConfigurationError, match="the phases alone take 9"):
        deadline_ns("9m", [PLAN] * 9)
    with pytest.raises(ConfigurationError, match="--deadline"):
        deadline_ns("soon", [PLAN])


def test_each_repetition_has_a_seed_of_its_own() -> None:
    assert repeated(["a", "b"], 7, 2) == [("a", 7), ("b", 7), ("a", 8), ("b", 8)]  # type: ignore[list-item, comparison-overlap]


def ran(*, late: str | None = None, trouble: object = None, code: int = 0):
    done: list[int] = []

    def execute(request: int) -> object:
        done.append(request)
        interruption.late = late
        run = SimpleNamespace(path=Path("/nowhere"))
        return SimpleNamespace(
            trouble=trouble, verdict=SimpleNamespace(exit_code=code, verdict=SimpleNamespace(value="pass")), run=run
        )

    interruption = SimpleNamespace(late=None)
    series = run_series([1, 2, 3], execute, interruption=interruption, ends=lambda result: code != 0)  # type: ignore[arg-type]
    return done, series.exit_code(strict=False)


def test_a_deadline_that_passes_between_runs_starts_no_more_and_is_no_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran() == ([1, 2, 3], 0)
    assert ran(late="the deadline of 9m has passed") == ([1], 6)
    assert "2 of 3 runs were not started" in capsys.readouterr().err
    assert ran(code=1) == ([1], 1)


@pytest.mark.parametrize(
    ("problem", "command"),
    [
        ("a.yaml:3:7: no such phase; allowed: x", "::error file=a.yaml,line=3,col=7::no such phase; allowed: x"),
        ("50% of\nall", "::error::50%25 of%0Aall"),
        ("a,b:1:2: x\n::set-output name=y::z", "::error file=a%2Cb,line=1,col=2::x"),
    ],
)
def test_a_pipeline_shows_an_error_at_its_line(problem: str, command: str) -> None:
    assert annotation(problem, {"GITHUB_ACTIONS": "true"}) == command
    assert annotation(problem, {}) is None


def test_the_step_summary_gets_each_report(tmp_path: Path) -> None:
    (tmp_path / "report.md").write_text("## PASS")
    result = SimpleNamespace(run=SimpleNamespace(path=tmp_path))
    tell_pipeline([result, result], {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary")})  # type: ignore[list-item]
    assert (tmp_path / "summary").read_text() == "## PASS\n## PASS\n"
    tell_pipeline([result], {})  # type: ignore[list-item]
