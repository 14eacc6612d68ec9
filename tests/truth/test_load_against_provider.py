"""What the engine measures against what the provider recorded, joined request by request."""

import math
from pathlib import Path

import pytest
from load_process import plan_for, run_to_end
from provider_under_test import running_provider

from harness.model.plan import ArrivalProcess

MS = 1_000_000


def percentile(values: list[int], percent: int) -> int:
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def assert_close(measured: list[int], true: list[int]) -> None:
    """Within 1 % at p50 and p95."""
    for percent in (50, 95):
        assert percentile(measured, percent) == pytest.approx(percentile(true, percent), rel=0.01), f"p{percent}"


@pytest.mark.alone
@pytest.mark.parametrize("process", [ArrivalProcess.CONSTANT, ArrivalProcess.POISSON])
def test_latency_first_token_and_tokens_are_what_the_provider_recorded(tmp_path: Path, process: ArrivalProcess) -> None:
    with running_provider("--endpoint", "primary=127.0.0.1:0", "--control", "127.0.0.1:0", "--seed", "1") as provider:
        ran = run_to_end(
            tmp_path / "run", plan_for(seconds=4, rate_rps=30, process=process), f"http://{provider.endpoints['primary']}"
        )
        rows = ran.samples()
        calls = {call["request_id"]: call for call in provider.calls(at_least=len(rows))}
    assert {row["result"] for row in rows} == {"answered"}
    assert {row["request_id"] for row in rows} == set(calls)
    pairs = [(row, calls[row["request_id"]]) for row in rows]
    streams = [(row, call) for row, call in pairs if row["streamed"]]
    assert len(streams) > 30
    assert_close(
        [row["ended_ns"] - row["started_ns"] for row, _ in pairs], [call["ended_ns"] - call["received_ns"] for _, call in pairs]
    )
    assert_close(
        [row["first_content_ns"] - row["started_ns"] for row, _ in streams],
        [call["first_content_ns"] - call["received_ns"] for _, call in streams],
    )
    # On the intended clock too, whose zero is ours and whose moments the provider took on the same monotonic clock.
    assert_close(
        [row["ended_ns"] - row["intended_ns"] for row, _ in pairs],
        [call["ended_ns"] - ran.zero_ns - row["intended_ns"] for row, call in pairs],
    )
    for row, call in pairs:
        assert (row["prompt_tokens"], row["completion_tokens"]) == (call["prompt_tokens"], call["completion_tokens"])
        assert row["streamed"] == call["streamed"]
        assert not row["streamed"] or row["chunks"] == call["chunks"]
        assert row["started_ns"] + ran.zero_ns <= call["received_ns"]
        assert row["streamed"] or row["ended_ns"] + ran.zero_ns >= call["first_content_ns"]
    medians = [percentile([side["gap_p95_ns"] for side in sides], 50) for sides in zip(*streams, strict=True)]
    assert medians[0] == pytest.approx(medians[1], rel=0.1)
