import json
from array import array
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from load_plans import plan

from harness.errors import LoadError, StorageError
from harness.exchange import Outcome
from harness.load.address import resolve
from harness.load.pulse import LiveFile, Pulse, histogram_of
from harness.load.schedule import build_schedule
from harness.model.histogram import bucket_of, quantile_ns
from harness.model.outcome import Result, Source

SCHEDULE = build_schedule(plan())
MS = 1_000_000


def test_a_line_tells_of_its_own_second_only() -> None:
    pulse = Pulse(SCHEDULE, worker=2)
    pulse.due += 2
    pulse.started(100, SCHEDULE.intended_ns[100] + 2 * MS)
    pulse.ended(100, Outcome(result=Result.ANSWERED, source=Source.SECONDARY, ended_ns=SCHEDULE.intended_ns[100] + 500 * MS))
    pulse.ended(101, Outcome(result=Result.TIMEOUT, ended_ns=SCHEDULE.intended_ns[101] + 9000 * MS))
    pulse.woke(MS)
    line = pulse.line(1_000 * MS, "steady", 4)
    assert (line.worker, line.t_ns, line.phase, line.in_flight) == (2, 1_000 * MS, "steady", 4)
    assert (line.intended, line.sent, line.ended) == (2, 1, 2)
    assert (line.results, line.sources) == ({"answered": 1, "timeout": 1}, {"secondary": 1})
    assert quantile_ns(line.latency, 500) == pytest.approx(500 * MS, rel=1 / 32)  # answers only
    assert sum(line.latency.values()) == 1
    assert quantile_ns(line.dispatch_lag, 500) == pytest.approx(2 * MS, rel=1 / 32)
    assert quantile_ns(line.loop_lag, 500) == pytest.approx(MS, rel=1 / 32)
    after = pulse.line(2_000 * MS, "steady", 0)
    assert (after.intended, after.sent, after.ended) == (0, 0, 0)
    counts = (after.results, after.sources, after.latency, after.dispatch_lag, after.loop_lag)
    assert counts == ({}, {}, {}, {}, {})


@given(st.lists(st.integers(-100, 2**52)))
def test_a_second_s_histogram_is_that_of_its_values_one_by_one(values_ns: list[int]) -> None:
    one_by_one = Counter(bucket_of(value_ns) for value_ns in values_ns)
    assert histogram_of(array("q", values_ns)) == one_by_one


def test_a_busy_second_shows_in_its_cpu() -> None:
    pulse = Pulse(SCHEDULE, worker=0)
    sum(range(2_000_000))
    assert pulse.line(0, "steady", 0).cpu_ratio > 0.1


def test_lines_are_appended_whole_beside_those_of_other_workers(tmp_path: Path) -> None:
    files = [LiveFile(tmp_path / "live.jsonl"), LiveFile(tmp_path / "live.jsonl")]
    for worker, file in enumerate(files):
        file.append(Pulse(SCHEDULE, worker=worker).line(5, "steady", 0))
    for file in files:
        file.close()
    written = (tmp_path / "live.jsonl").read_text()
    assert [json.loads(line)["worker"] for line in written.splitlines()] == [0, 1]
    assert written.endswith("\n")


def test_a_full_disk_is_an_error_that_says_where(tmp_path: Path) -> None:
    (tmp_path / "live.jsonl").symlink_to("/dev/full")
    with pytest.raises(StorageError, match=r"live\.jsonl"):
        LiveFile(tmp_path / "live.jsonl").append(Pulse(SCHEDULE, worker=0).line(5, "steady", 0))


@pytest.mark.parametrize(
    ("url", "sockaddr", "host"),
    [("http://127.0.0.1:8000", ("127.0.0.1", 8000), "127.0.0.1:8000"), ("http://127.0.0.1/", ("127.0.0.1", 80), "127.0.0.1")],
)
def test_a_loopback_url_is_an_address(url: str, sockaddr: tuple[str, int], host: str) -> None:
    address = resolve(url)
    assert (address.sockaddr, address.host_header) == (sockaddr, host)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:80",
        "ftp://127.0.0.1",
        "http://192.0.2.7:80",
        "http://127.0.0.1:99999",
        "http://127.0.0.1/v1",
        "http://u:p@127.0.0.1",
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(LoadError):
        resolve(url)
