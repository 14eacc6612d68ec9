"""Under each arrival process, streamed and not, every metric is what the provider's own records say."""

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from load_process import plan_for, run_to_end
from provider_under_test import running_provider

from harness.model.histogram import merge, quantile_ns
from harness.model.plan import ArrivalProcess, ArrivalSegment, Phase, PhaseKind
from harness.model.units import NS_PER_MS, NS_PER_S

P = ArrivalProcess
EACH_NS = 2 * NS_PER_S
RATE = 24.0
Pair = tuple[dict[str, object], dict[str, object], int]


@dataclass(frozen=True, slots=True)
class Run:
    """Each sample with its call and the run's zero, by process. lag_ns: the p99 of how late the worker's loop was."""

    by_process: dict[str, list[Pair]]
    lag_ns: int


def segment(process: ArrivalProcess, start_ns: int) -> ArrivalSegment:
    """Two seconds of one process, about fifty arrivals."""
    plain = ArrivalSegment(process=process, start_ns=start_ns, end_ns=start_ns + EACH_NS, rate_rps=RATE)
    times = tuple(round(number * NS_PER_S / RATE) for number in range(48))
    changes: dict[ArrivalProcess, dict[str, object]] = {
        P.RAMP: {"end_rate_rps": 2 * RATE},
        P.STEP: {"end_rate_rps": 2 * RATE, "steps": 2},
        P.SPIKE: {"end_rate_rps": 3 * RATE, "peak_at_ns": NS_PER_S, "peak_ns": NS_PER_S // 4},
        P.SINE: {"end_rate_rps": 1.5 * RATE, "period_ns": NS_PER_S},
        P.REPLAY: {"times_ns": times, "max_tokens": (12,) * 48, "prompt_tokens": (20,) * 48},
        P.CLOSED: {"rate_rps": 0.0, "users": 8, "think_ns": NS_PER_S // 10},
    }
    return replace(plain, **changes.get(process, {}))  # type: ignore[arg-type] # by the table above


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run with a phase for each process."""
    plan = plan_for(drain_s=10)
    starts = [(process, number * EACH_NS) for number, process in enumerate(ArrivalProcess)]
    phases = tuple(Phase(name=p.value, kind=PhaseKind.STEADY, start_ns=at, end_ns=at + EACH_NS) for p, at in starts)
    load = replace(plan.load, segments=tuple(segment(process, at) for process, at in starts), streamed_ratio=0.5)
    with running_provider("--endpoint", "primary=127.0.0.1:0", "--control", "127.0.0.1:0", "--seed", "1") as provider:
        place = tmp_path_factory.mktemp("processes") / "run"
        ran = run_to_end(place, replace(plan, phases=phases, load=load), f"http://{provider.endpoints['primary']}")
        rows = ran.samples()
        calls = {call["request_id"]: call for call in provider.calls(at_least=len(rows))}
    found: dict[str, list[Pair]] = defaultdict(list)
    for row in rows:
        found[str(row["phase"])].append((row, calls[row["request_id"]], ran.zero_ns))
    lag_ns = quantile_ns(merge(line.loop_lag for line in ran.directory.live_lines()), 990)
    assert lag_ns is not None
    return Run(by_process=found, lag_ns=lag_ns)


def e2e(row: dict[str, int], call: dict[str, int], zero_ns: int) -> tuple[float, float]:
    return row["ended_ns"] - row["intended_ns"], call["ended_ns"] - zero_ns - row["intended_ns"]


def ttft(row: dict[str, int], call: dict[str, int], zero_ns: int) -> tuple[float, float]:
    return row["first_content_ns"] - row["intended_ns"], call["first_content_ns"] - zero_ns - row["intended_ns"]


def service(row: dict[str, int], call: dict[str, int], _: int) -> tuple[float, float]:
    return row["ended_ns"] - row["started_ns"], call["ended_ns"] - call["received_ns"]


def itl(row: dict[str, int], call: dict[str, int], _: int) -> tuple[float, float]:
    return row["gap_p95_ns"], call["gap_p95_ns"]


def longest_gap(row: dict[str, int], call: dict[str, int], _: int) -> tuple[float, float]:
    return row["gap_max_ns"], call["gap_max_ns"]


def tpot(row: dict[str, int], call: dict[str, int], _: int) -> tuple[float, float]:
    both = [(side["last_content_ns"] - side["first_content_ns"]) / (side["completion_tokens"] - 1) for side in (row, call)]
    return both[0], both[1]


METRICS: dict[str, tuple[Callable[..., tuple[float, float]], bool, float]] = {
    "e2e": (e2e, False, 10 * NS_PER_MS),
    "service": (service, False, 10 * NS_PER_MS),
    "ttft": (ttft, True, 10 * NS_PER_MS),
    "itl": (itl, True, 3 * NS_PER_MS),
    "longest gap": (longest_gap, True, 10 * NS_PER_MS),
    "tpot": (tpot, True, NS_PER_MS),
}


def quantile(values: list[float], percent: int) -> float:
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


@pytest.mark.parametrize("process", [process.value for process in ArrivalProcess])
def test_every_metric_is_what_the_provider_recorded(measured: Run, process: str) -> None:
    pairs = measured.by_process[process]
    assert len(pairs) >= 20
    assert {row["result"] for row, _, _ in pairs} == {"answered"}
    for streamed in (True, False):
        part = [pair for pair in pairs if pair[0]["streamed"] is streamed]
        assert len(part) >= 5
        for name, (metric, streams_only, least_ns) in METRICS.items():
            if streams_only and not streamed:
                continue
            ours, true = zip(*(metric(*pair) for pair in part), strict=True)
            slack_ns = least_ns + 2 * measured.lag_ns
            off = sorted(abs(one - other) for one, other in zip(ours, true, strict=True))
            assert off[len(off) // 2] <= slack_ns, (name, streamed)
            # What the median of a run says is within 2 % or the slack, whichever is more: noise hits single requests.
            assert quantile(list(ours), 50) == pytest.approx(quantile(list(true), 50), rel=0.02, abs=slack_ns), (name, streamed)
    assert [(row["prompt_tokens"], row["completion_tokens"]) for row, _, _ in pairs] == [
        (call["prompt_tokens"], call["completion_tokens"]) for _, call, _ in pairs
    ]
    assert all(row["status_code"] == call["status_code"] for row, call, _ in pairs)
    assert all(row["chunks"] == call["chunks"] for row, call, _ in pairs if row["streamed"])


@pytest.mark.parametrize("process", [process.value for process in ArrivalProcess])
def test_goodput_is_what_the_provider_s_records_make_it(measured: Run, process: str) -> None:
    pairs = measured.by_process[process]
    # A bound in the middle of what was seen, so that both sides of it are many; those on the edge may fall either way.
    bound = quantile([e2e(*pair)[1] for pair in pairs], 50)
    ours = sum(e2e(*pair)[0] <= bound for pair in pairs)
    true = sum(e2e(*pair)[1] <= bound for pair in pairs)
    edge = sum(abs(e2e(*pair)[1] - bound) <= 20 * NS_PER_MS + 2 * measured.lag_ns for pair in pairs)
    assert abs(ours - true) <= edge


def test_what_a_trace_asks_is_what_is_billed(measured: Run) -> None:
    assert {call["completion_tokens"] for _, call, _ in measured.by_process["replay"]} <= set(range(1, 13))


def test_a_closed_loop_says_so_by_its_clocks(measured: Run) -> None:
    lags = sorted(row["started_ns"] - row["intended_ns"] for row, _, _ in measured.by_process["closed"])
    assert (
        lags[len(lags) // 2] < 5 * NS_PER_MS + measured.lag_ns
    )  # intended when asked: what waited before is hidden, and labelled
