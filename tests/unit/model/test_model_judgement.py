"""How statuses add up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ExitCode
from harness.model.judgement import EXIT_CODES, Status, gravest


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([], Status.INCONCLUSIVE),
        ([Status.NOT_APPLICABLE], Status.INCONCLUSIVE),
        ([Status.WAIVED, Status.NOT_APPLICABLE], Status.INCONCLUSIVE),
        ([Status.PASS, Status.WAIVED], Status.PASS),
        ([Status.PASS, Status.WARN], Status.WARN),
        ([Status.WARN, Status.INCONCLUSIVE], Status.INCONCLUSIVE),
        ([Status.INCONCLUSIVE, Status.INVALID], Status.INVALID),
        ([Status.INVALID, Status.FAIL, Status.PASS], Status.FAIL),
    ],
)
def test_a_run_is_as_grave_as_its_gravest_result(parts: list[Status], whole: Status) -> None:
    assert gravest(parts) is whole


@given(st.lists(st.sampled_from(list(Status))))
def test_only_passes_make_a_pass(parts: list[Status]) -> None:
    weightless = {Status.PASS, Status.NOT_APPLICABLE, Status.WAIVED}
    assert (gravest(parts) is Status.PASS) == (Status.PASS in parts and set(parts) <= weightless)


def test_every_status_of_a_run_has_the_exit_code_that_pipelines_know() -> None:
    assert {status.value: int(code) for status, code in EXIT_CODES.items()} == {
        "pass": 0, "warn": 0, "fail": 1, "inconclusive": 3, "invalid": 4,
    }  # fmt: skip
    assert ExitCode.COULD_NOT_RUN == 5
