"""The service's wall clock follows its file, and nothing but a number of seconds moves it."""

import time
from pathlib import Path

import pytest

from reference_service.clock import Clock


@pytest.mark.parametrize(
    ("written", "offset_s"),
    [("+3600\n", 3600), ("-86400.5", -86400.5), ("+0\n", 0), ("", 0), ("3600", 0), ("+soon", 0), ("2030-01-01 00:00:00", 0)],
)
def test_a_number_of_seconds_with_its_sign_moves_it_and_nothing_else_does(written: str, offset_s: float, tmp_path: Path):
    (tmp_path / "clock").write_text(written)
    assert Clock(tmp_path / "clock").now_s() - time.time() == pytest.approx(offset_s, abs=1)


def test_without_a_file_it_is_the_machines(tmp_path: Path):
    assert Clock(None).now_s() == pytest.approx(time.time(), abs=1)
    assert Clock(tmp_path / "nothing").now_s() == pytest.approx(time.time(), abs=1)
