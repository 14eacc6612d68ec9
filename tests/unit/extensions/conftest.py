"""The builder of run directories stands with the judge's tests; kinds of faults that a test adopts are forgotten after it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.model.fault_kinds import FAULT_KINDS

sys.path.insert(0, str(Path(__file__).parents[1] / "judge"))


@pytest.fixture(autouse=True)
def _the_catalogue_as_it_was() -> Iterator[None]:
    before = dict(FAULT_KINDS)
    yield
    FAULT_KINDS.clear()
    FAULT_KINDS.update(before)
