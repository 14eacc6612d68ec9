"""Shared answers: who was answered from a cache is told by the calls that the provider had, and by nothing else."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from probe_runs import STEADY, A, check_of, judged, recorded
from run_builder import call_of, healthy_samples

from harness.checks import PLANNERS
from harness.model.judgement import Judgement, Status
from harness.model.probe import ProbeRecord
from harness.model.sample import Call

CHECK = check_of("shared answers")


def _good(*_: object) -> A:
    return A(took_s=0.5)


def _calls(of: Callable[[ProbeRecord], bool]) -> list[Call]:
    """Return a call within each question that is not answered from a cache."""
    plain = call_of(healthy_samples()[0])
    return [
        replace(
            plain,
            call_id=f"probe-{n}",
            request_id=None,
            tag=f"{CHECK.id}-{record.name[-1]}",
            received_ns=record.at_ns + 1_000_000,
        )
        for n, record in enumerate(recorded(CHECK, STEADY, _good))
        if of(record)
    ]


def _seen(path: Path, of: Callable[[ProbeRecord], bool], answering: Callable[..., A] | None = _good) -> Judgement:
    return judged(path, CHECK, answering, calls=_calls(of))


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (lambda record: not record.name.startswith("again"), "3 of them were kept for the user who had asked"),
        (lambda record: True, "none was kept for anybody"),
    ],
)
def test_a_cache_of_each_user_s_own_and_none_at_all_pass(tmp_path: Path, of: Callable[[ProbeRecord], bool], words: str) -> None:
    judgement = _seen(tmp_path, of)
    assert (judgement.status, words in judgement.reason) == (Status.PASS, True)


def test_one_question_that_another_user_is_answered_from_a_cache_fails(tmp_path: Path) -> None:
    judgement = _seen(tmp_path, lambda record: record.name != "other-1" and not record.name.startswith("again"))
    assert judgement.status is Status.FAIL
    assert "1 of 3 questions" in judgement.reason
    assert "other-1" in judgement.evidence[0].ref


@pytest.mark.parametrize(
    ("of", "answering"),
    [
        (lambda record: True, None),
        (lambda record: False, _good),  # the answer was there before anybody asked
        (lambda record: True, lambda probe, *_: A(status=503) if probe.name == "other-2" else _good()),
    ],
)
def test_questions_that_were_not_answered_after_a_call_prove_nothing(
    tmp_path: Path, of: Callable[[ProbeRecord], bool], answering: Callable[..., A] | None
) -> None:
    assert _seen(tmp_path, of, answering).status is Status.INCONCLUSIVE


def test_the_two_users_ask_the_same_words(tmp_path: Path) -> None:
    del tmp_path
    steps = PLANNERS["shared answers"].plan(CHECK, STEADY)
    for n in range(3):
        asked = [probe for probe in steps.probes if probe.name.endswith(str(n))]
        assert len({probe.body for probe in asked}) == 1
        assert len({probe.principal for probe in asked}) == 2
    assert {principal.tenant for principal in steps.principals} == {None}
