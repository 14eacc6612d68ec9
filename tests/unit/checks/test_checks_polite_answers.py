"""Polite answers: what was said for want of a model is not said again once there is one."""

from dataclasses import replace
from pathlib import Path

import pytest
from probe_runs import A, Answering, check_of, judged
from run_builder import S

from harness.checks import PLANNERS
from harness.model.fault import Scalar
from harness.model.judgement import Judgement, Status
from harness.model.plan import Phase, PhaseKind
from harness.model.probe import Probe

CHECK = check_of("polite answers", phase="recovery")
RECOVERY = Phase(name="recovery", kind=PhaseKind.RECOVERY, start_ns=22 * S, end_ns=40 * S)


def said(text: str, source: str) -> A:
    return A(body={"choices": [{"message": {"content": text}}]}, source=source)


def healthy(probe: Probe, _: int, __: str | None) -> A:
    return (
        said("Please come back later.", "canned") if probe.name.startswith("first") else said(f"Answer {probe.name}", "primary")
    )


def seen(path: Path, answering: Answering | None) -> Judgement:
    return judged(path, CHECK, answering, phase=RECOVERY)


def again(answer: A) -> Answering:
    return lambda probe, n, where: answer if probe.name.startswith("again") else healthy(probe, n, where)


def test_a_models_answer_after_the_outage_passes(tmp_path: Path) -> None:
    assert seen(tmp_path, healthy).status is Status.PASS


@pytest.mark.parametrize("source", ["cache", "primary"])
def test_the_polite_answer_that_is_kept_fails_whatever_it_is_called(source: str, tmp_path: Path) -> None:
    judgement = seen(tmp_path, again(said("Please come back later.", source)))
    assert judgement.status is Status.FAIL
    assert "4 of 4 questions" in judgement.reason


@pytest.mark.parametrize(
    "answering",
    [
        None,
        lambda *_: said("A model speaks.", "primary"),  # there was no outage
        again(said("Please come back later.", "canned")),  # it is not over
        again(A(status=503, result="error")),
        lambda *_: A(body="no JSON", source="canned"),
    ],
)
def test_an_outage_that_nobody_saw_or_that_goes_on_proves_nothing(answering: Answering | None, tmp_path: Path) -> None:
    assert seen(tmp_path, answering).status is Status.INCONCLUSIVE


@pytest.mark.parametrize("settings", [{"before": "30s"}, {"before": "100ms"}, {"settles": "17s"}])
def test_questions_that_do_not_fit_are_refused(settings: dict[str, Scalar]) -> None:
    with pytest.raises(ValueError, match="phase 'recovery'"):
        PLANNERS["polite answers"].plan(replace(CHECK, settings=settings), RECOVERY)


def test_the_first_questions_are_asked_before_the_phase() -> None:
    probes = PLANNERS["polite answers"].plan(CHECK, RECOVERY).probes
    assert {p.at_ns < RECOVERY.start_ns for p in probes if p.name.startswith("first")} == {True}
    assert {p.at_ns > RECOVERY.start_ns for p in probes if p.name.startswith("again")} == {True}
