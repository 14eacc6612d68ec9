"""Checks of the answers' privacy, of the backup and of the standby: each passes when healthy, fails when broken, and knows when it saw nothing."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from probe_runs import OUTAGE, A, Answering, check_of, judged
from run_builder import S, call_of, sample

from harness.checks import PLANNERS
from harness.checks.answer_privacy.planning import PLANTED
from harness.model.judgement import Judgement, Status
from harness.model.plan import Phase, PhaseKind
from harness.model.probe import Probe
from harness.model.sample import Call

PRIVACY = check_of("answer privacy", phase="outage")
BACKUP = check_of("backup")
WIDE = Phase(name="steady", kind=PhaseKind.STEADY, start_ns=2 * S, end_ns=30 * S)


def given_away(name: str = "whole-0") -> list[Call]:
    row = replace(sample(0, 13.0), request_id=f"probe-{name}-None-0")
    return [replace(call_of(row), fault="leak_pii")]


def private(path: Path, answering: Answering | None, calls: list[Call] | None = None) -> Judgement:
    return judged(path, PRIVACY, answering, phase=OUTAGE, calls=given_away() if calls is None else calls)


def streamed(text: str) -> str:
    pieces = [text[i : i + 3] for i in range(0, len(text), 3)]
    return (
        "".join(f"data: {json.dumps({'choices': [{'delta': {'content': piece}}]})}\n\n" for piece in pieces) + "data: [DONE]\n\n"
    )


def test_answers_that_pass_nothing_on_pass(tmp_path: Path) -> None:
    assert private(tmp_path, lambda *_: A(body="Write to j***@example.com for this.")).status is Status.PASS


@pytest.mark.parametrize("planted", PLANTED)
@pytest.mark.parametrize("probe_name", ["whole-2", "streamed-3"])
def test_what_is_passed_on_fails_streamed_or_not(planted: str, probe_name: str, tmp_path: Path) -> None:
    def leaking(probe: Probe, _: int, __: str | None) -> A:
        text = f"Of course: {planted}." if probe.name == probe_name else "Nothing."
        return A(body=streamed(text) if probe.streamed else text)

    judgement = private(tmp_path, leaking)
    assert judgement.status is Status.FAIL
    assert probe_name in judgement.reason


def test_a_model_that_gave_nothing_away_put_nothing_to_the_test(tmp_path: Path) -> None:
    assert private(tmp_path, lambda *_: A(), calls=[]).status is Status.INCONCLUSIVE
    assert private(tmp_path, None).status is Status.INCONCLUSIVE


# -- backup ------------------------------------------------------------------------------------------------------------

DONE = {"back-up": {"backup": "x", "took_ms": 900}, "restore": {"took_ms": 2500}}


def restored(probe: Probe, _: int, __: str | None) -> A:
    if probe.name.startswith("kept-"):
        return A(body={"id": "m1", "status": "done"})
    if probe.name == "lost-after":
        return A(status=404)
    return A(status=202 if probe.path == "/message" else 200, body={"id": probe.name, "status": "processing"})


def drilled(path: Path, answering: Answering | None = restored, actions: Mapping[str, object] | None = None) -> Judgement:
    return judged(path, BACKUP, answering, phase=WIDE, actions=DONE if actions is None else actions)  # type: ignore[arg-type]


def test_a_backup_that_brings_back_what_was_there_passes_with_its_times(tmp_path: Path) -> None:
    judgement = drilled(tmp_path)
    assert judgement.status is Status.PASS, judgement.reason
    assert judgement.test is not None
    assert judgement.shown is not None
    assert judgement.test.value == 2.5
    assert judgement.shown.value == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("kept-after", A(status=404), "is not there after the restore"),
        ("kept-after", A(body={"status": "processing"}), "is not there after the restore"),
        ("lost-after", A(body={"status": "done"}), "nothing was put back"),
    ],
)
def test_a_backup_that_does_not_restore_fails(name: str, answer: A, told: str, tmp_path: Path) -> None:
    judgement = drilled(tmp_path, lambda p, n, i: answer if p.name == name else restored(p, n, i))
    assert judgement.status is Status.FAIL
    assert told in judgement.reason


@pytest.mark.parametrize(
    ("action", "told", "reason"),
    [
        ("back-up", {"secrets_in_clear": 1}, "password in clear"),
        ("back-up", {"canary_in_clear": True}, "as it was written"),
        ("back-up", {"outdated_kept": True}, "31 days old"),
        ("restore", {"rows_escalation": 0}, "no row of escalation"),
        ("restore", {"rows_feedback": 0}, "no row of feedback"),
    ],
)
def test_a_backup_that_shows_secrets_or_lacks_what_was_promised_fails(
    action: str, told: dict[str, object], reason: str, tmp_path: Path
) -> None:
    judgement = drilled(tmp_path, actions={**DONE, action: {**DONE[action], **told}})
    assert judgement.status is Status.FAIL
    assert reason in judgement.reason


def test_what_was_not_taken_is_missed_in_no_row(tmp_path: Path) -> None:
    refused = lambda p, n, i: A(status=503) if p.name in ("escalated", "rated") else restored(p, n, i)  # noqa: E731 - one line
    rows = {**DONE, "restore": {**DONE["restore"], "rows_escalation": 0, "rows_feedback": 0}}
    assert drilled(tmp_path, refused, actions=rows).status is Status.PASS


def test_a_restore_that_fails_or_takes_too_long_fails(tmp_path: Path) -> None:
    assert drilled(tmp_path, actions={**DONE, "restore": None}).status is Status.FAIL
    assert drilled(tmp_path, actions={**DONE, "restore": {"took_ms": 21_000}}).status is Status.FAIL


@pytest.mark.parametrize("name", ["kept", "kept-answered", "lost", "served-after"])
def test_a_drill_that_could_not_be_seen_is_inconclusive(name: str, tmp_path: Path) -> None:
    away = A(status=503)
    judgement = drilled(tmp_path, lambda p, n, i: away if p.name.startswith(name) else restored(p, n, i))
    assert judgement.status is Status.INCONCLUSIVE


def test_no_backup_and_no_drill_are_inconclusive(tmp_path: Path) -> None:
    assert drilled(tmp_path, actions={**DONE, "back-up": None}).status is Status.INCONCLUSIVE
    assert drilled(tmp_path, None).status is Status.INCONCLUSIVE


# -- a standby, promoted beside a primary that works and beside one that is gone ----------------------------------------------

STANDBY = check_of("standby")
OBEYED: Mapping[str, object] = {
    "beside_asked": 1,
    "beside_promoted": 0,
    "beside_exit": 5,
    "without_asked": 4,
    "without_promoted": 1,
    "without_exit": 0,
}


def promoted(path: Path, told: Mapping[str, object] | None) -> Judgement:
    return judged(path, STANDBY, lambda *_: A(), phase=WIDE, actions={"promote": told})  # type: ignore[dict-item]


def test_a_standby_that_is_promoted_only_where_nobody_else_works_passes(tmp_path: Path) -> None:
    judgement = promoted(tmp_path, OBEYED)
    assert (judgement.status, "exit code 5" in judgement.reason) == (Status.PASS, True), judgement.reason


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"beside_promoted": 1, "beside_exit": 0}, "while the first one worked"),
        ({"beside_promoted": 1, "without_asked": 0, "without_promoted": 0}, "while the first one worked"),  # seen is seen
        ({"without_promoted": 0, "without_exit": 5}, "it was not promoted (the program ended with exit code 5)"),
        ({"without_exit": 1}, "it was not promoted"),
        ({"beside_exit": 0}, "says that all went well"),
    ],
)
def test_a_standby_that_is_promoted_too_early_or_never_fails(told: Mapping[str, object], words: str, tmp_path: Path) -> None:
    judgement = promoted(tmp_path, {**OBEYED, **told})
    assert (judgement.status, words in judgement.reason) == (Status.FAIL, True), judgement.reason


@pytest.mark.parametrize("told", [None, {}, {**OBEYED, "beside_asked": 0}, {**OBEYED, "without_asked": 0}])
def test_a_standby_that_nobody_asked_is_inconclusive(told: Mapping[str, object] | None, tmp_path: Path) -> None:
    assert promoted(tmp_path, told).status is Status.INCONCLUSIVE
    assert judged(tmp_path, STANDBY, None, phase=WIDE).status is Status.INCONCLUSIVE


def test_phases_too_short_are_refused() -> None:
    with pytest.raises(ValueError, match="lasts"):
        PLANNERS["backup"].plan(BACKUP, OUTAGE)
    with pytest.raises(ValueError, match="lasts"):
        PLANNERS["standby"].plan(STANDBY, replace(WIDE, end_ns=WIDE.start_ns + 5 * S))
    with pytest.raises(ValueError, match="too short"):
        PLANNERS["answer privacy"].plan(PRIVACY, replace(OUTAGE, end_ns=OUTAGE.start_ns + 2 * S))
