"""The authentication check: who must be kept out, and what each hole looks like."""

from pathlib import Path

import pytest
from probe_runs import A, check_of, judged

from harness.model.judgement import Status
from harness.model.probe import Probe

CHECK = check_of("authentication")
KEPT_OUT = {"no-key": 401, "wrong-key": 401, "altered-key": 401, "after-revoking": 401, "others-message": 404}
KEPT_OUT |= {"no-key-message": 401, "audit-as-user": 403, "knowledge-as-user": 403}


def healthy(probe: Probe, _: int, __: str | None) -> A:
    return A(status=KEPT_OUT.get(probe.name, 200))


def test_a_service_that_lets_in_whom_it_must_and_nobody_else_passes(tmp_path: Path) -> None:
    seen = judged(tmp_path, CHECK, healthy)
    assert (seen.status, seen.test.bad if seen.test else None) == (Status.PASS, 0)


@pytest.mark.parametrize("hole", list(KEPT_OUT))
def test_each_open_door_fails_and_is_named(hole: str, tmp_path: Path) -> None:
    seen = judged(tmp_path, CHECK, lambda p, n, i: A(status=200) if p.name == hole else healthy(p, n, i))
    assert seen.status is Status.FAIL
    assert hole in seen.reason
    assert hole in seen.evidence[0].ref


def test_one_instance_that_still_takes_the_revoked_key_is_enough(tmp_path: Path) -> None:
    seen = judged(tmp_path, CHECK, lambda p, n, i: A() if (p.name, i) == ("after-revoking", "b") else healthy(p, n, i))
    assert seen.status is Status.FAIL
    assert "instance b" in seen.reason


def test_a_service_that_refuses_everybody_fails(tmp_path: Path) -> None:
    assert judged(tmp_path, CHECK, lambda *_: A(status=401)).status is Status.FAIL


def test_a_revocation_that_was_not_done_proves_nothing(tmp_path: Path) -> None:
    seen = judged(tmp_path, CHECK, healthy, actions={"revoke": None})
    assert seen.status is Status.INCONCLUSIVE
    assert "revoke could not be done" in seen.reason


@pytest.mark.parametrize("status", [None, 503, 429])
def test_a_service_that_cannot_look_has_neither_kept_nor_broken_its_word(status: int | None, tmp_path: Path) -> None:
    def away(probe: Probe, number: int, instance: str | None) -> A:
        return A(status=status) if probe.name == "wrong-key" else healthy(probe, number, instance)

    assert judged(tmp_path, CHECK, away).status is Status.INCONCLUSIVE


def test_nothing_asked_is_inconclusive(tmp_path: Path) -> None:
    assert judged(tmp_path, CHECK, None).status is Status.INCONCLUSIVE
