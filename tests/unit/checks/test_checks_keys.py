"""Keys of which nobody may be given one: too old, or kept in what the run leaves behind."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from probe_runs import A, check_of, judged
from run_builder import healthy_samples

from harness.model.fault import Scalar
from harness.model.judgement import Judgement, Status
from harness.model.sample import Sample

Told = dict[str, str | int | float | bool | None]

YOUNG: Told = {"keys": 40, "oldest_days": 0.001}


def aged(path: Path, told: Told | None, **settings: Scalar) -> Judgement:
    return judged(path, check_of("key ages", **settings), lambda *_: A(), actions={"tell": told})


@pytest.mark.parametrize(("oldest", "days", "status"), [
    (31.0, None, Status.PASS),
    (31.001, None, Status.FAIL),
    (8, 7.0, Status.FAIL),
    (0.0, 0.0, Status.PASS),
])  # fmt: skip
def test_the_oldest_key_that_works_decides(tmp_path: Path, oldest: float, days: float | None, status: Status) -> None:
    settings = {} if days is None else {"days": days}
    judgement = aged(tmp_path, {**YOUNG, "oldest_days": oldest}, **settings)
    assert judgement.status is status
    assert "of 40 keys" in judgement.reason


@pytest.mark.parametrize("told", [
    None,
    {},
    {"keys": 0, "oldest_days": None},
    {"keys": 3, "oldest_days": None},
    {"keys": 3, "oldest_days": "young"},
    {"keys": 3, "oldest_days": True},
])  # fmt: skip
def test_ages_that_nobody_told_are_inconclusive(tmp_path: Path, told: Told | None) -> None:
    assert aged(tmp_path, told).status is Status.INCONCLUSIVE
    assert judged(tmp_path, check_of("key ages"), None).status is Status.INCONCLUSIVE


KEY = "sk-" + "0123456789abcdef" * 3


def kept(path: Path, logs: dict[str, str] | None = None, samples: list[Sample] | None = None) -> Judgement:
    return judged(path, check_of("kept keys"), lambda *_: A(), logs=logs, samples=samples)


def with_a_key_in(change: Callable[[Sample], Sample]) -> list[Sample]:
    first, *others = healthy_samples(2)
    return [change(first), *others]


def test_a_run_without_a_key_passes(tmp_path: Path) -> None:
    judgement = kept(tmp_path, {"service-a.log": '{"event": "request", "key": "***"}\n'})
    assert judgement.status is Status.PASS
    assert "no key" in judgement.reason


def test_a_key_in_a_log_fails_and_is_not_repeated(tmp_path: Path) -> None:
    judgement = kept(tmp_path, {"service-a.log": f"ready\nasked with {KEY}\n"})
    assert judgement.status is Status.FAIL
    assert "logs/service-a.log:2: a key of a model provider" in judgement.reason
    assert KEY[3:] not in judgement.reason


def test_a_key_in_a_table_fails(tmp_path: Path) -> None:
    judgement = kept(tmp_path, samples=with_a_key_in(lambda row: replace(row, request_id=f"of {KEY}")))
    assert judgement.status is Status.FAIL
    assert "samples/" in judgement.reason


def test_a_run_in_which_nothing_was_sent_shows_nothing(tmp_path: Path) -> None:
    assert kept(tmp_path, samples=[]).status is Status.INCONCLUSIVE
