"""Each figure that the load workers tell of themselves has a bound, and a sentence when it is broken; a healthy one has none."""

from collections.abc import Mapping

import numpy as np
import pytest

from harness.measure.on_time import OnTime, on_time_of
from harness.measure.vitals import vitals_of
from harness.model.histogram import bucket_of
from harness.model.live import LiveLine

S = 1_000_000_000
MS = 1_000_000


def line(second: int, *, worker: int = 0, canary_ms: Mapping[float, int] | None = None, **more: float) -> LiveLine:
    probes = {bucket_of(round(ms * MS)): count for ms, count in (canary_ms or {0.3: 10}).items()}
    usual: dict[str, float] = {"gc_ms": 1.0, "open_files": 40, "open_files_limit": 1024}
    return LiveLine(
        worker=worker, t_ns=second * S, phase="steady", intended=10, sent=10, ended=10, in_flight=0, results={}, sources={},
        latency={}, dispatch_lag={}, loop_lag={}, cpu_ratio=0.1, canary=probes, **(usual | more),  # type: ignore[arg-type]
    )  # fmt: skip


HEALTHY = [line(second) for second in range(1, 11)]


def test_a_healthy_worker_breaks_no_bound_and_its_figures_are_told() -> None:
    vitals = vitals_of(HEALTHY)
    assert vitals.problems(20.0) == []
    assert vitals.canary_p95_ms == pytest.approx(0.3, rel=0.1)
    assert vitals.gc_ratio == pytest.approx(0.001)
    assert vitals.files_ratio == pytest.approx(40 / 1024)


@pytest.mark.parametrize(
    ("sick", "said"),
    [
        ([line(second, canary_ms={0.3: 9, 30: 1}) for second in range(1, 11)], "probes that are answered at once took more than"),
        ([line(1, canary_failed=2), *HEALTHY[1:]], "had no answer within 5 s"),
        ([line(second, gc_ms=11) for second in range(1, 11)], "1.1 % of the run in its garbage collector"),
        ([*HEALTHY[1:], line(1, open_files=930)], "930 of 1024 file descriptors open"),
        ([*HEALTHY, *(line(second, worker=1, gc_ms=50) for second in range(1, 11))], "5.0 % of the run in its garbage collector"),
    ],
)
def test_each_bound_that_is_broken_is_one_sentence(sick: list[LiveLine], said: str) -> None:
    problems = vitals_of(sick).problems(20.0)
    assert len(problems) == 1
    assert said in problems[0]


@pytest.mark.parametrize("lines", [[], [line(1, open_files=0, open_files_limit=0, canary_ms={})]])
def test_what_no_worker_tells_is_no_figure_and_no_problem(lines: list[LiveLine]) -> None:
    vitals = vitals_of(lines)
    assert vitals.files_ratio is None
    assert vitals.problems(20.0) == []


class _Rows:
    """What `on_time_of` reads of the samples: a minute at 20 a second, sent at once but where a test says otherwise."""

    def __init__(self) -> None:
        self.intended_ns = np.arange(1200, dtype=np.int64) * (S // 20)
        self.lag_ns = np.full(1200, 0.2 * MS)
        self.mix = np.ones(1200, dtype=bool)
        self.cancelled = np.zeros(1200, dtype=bool)


def on_time(rows: _Rows) -> OnTime:
    return on_time_of(rows, 20.0)  # type: ignore[arg-type] # the four columns that it reads


def test_a_short_stall_that_a_p99_would_hide_is_found_with_its_time() -> None:
    rows = _Rows()
    rows.lag_ns[605:617] = 300 * MS  # 12 of 1,200: the p99 of the run is 0.2 ms
    found = on_time(rows)
    assert np.sort(rows.lag_ns)[1187] == 0.2 * MS
    assert found.worst_ratio == pytest.approx(0.88)
    assert found.since_s == 30
    assert "from 30 s on only 88 %" in found.problems(20.0)[0]


def test_what_never_left_was_not_on_time_and_what_was_cancelled_or_in_a_burst_does_not_count() -> None:
    rows = _Rows()
    assert on_time(rows).problems(20.0) == []
    rows.lag_ns[:30] = np.nan
    assert on_time(rows).worst_ratio == pytest.approx(0.7)
    rows.cancelled[:15] = True
    rows.mix[15:30] = False
    assert on_time(rows).worst_ratio == 1.0


def test_too_few_arrivals_are_no_share() -> None:
    rows = _Rows()
    rows.mix[:] = False
    assert on_time(rows).worst_ratio is None
    rows.mix[:19] = True
    rows.lag_ns[:] = S
    assert on_time(rows).worst_ratio is None
    assert on_time(rows).problems(20.0) == []
