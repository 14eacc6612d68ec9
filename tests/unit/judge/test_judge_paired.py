"""Two versions on one schedule: what is worse is found, what is equal passes, and what cannot be told says so."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from run_builder import PHASES, RunBuilder, S, error_rate, failed, latency, sample

from harness.arrivals.blocks import arm_of, pair_of
from harness.compare.paired import Paired, compare_pair, exit_code_of
from harness.errors import ConfigurationError
from harness.judge import judge_and_write
from harness.load.schedule import build_schedule
from harness.model.plan import Dealt, PhaseKind, Plan
from harness.model.sample import Sample
from harness.rundir import RunDirectory
from harness.stats.paired import holm, paired_mean

BLOCK_NS = 500_000_000
numbers = itertools.count()


class Half(RunBuilder):
    """A run that sent its half of a schedule of 40 requests a second, without faults."""

    arm: int = 0
    block_ns: int = BLOCK_NS

    def plan(self) -> Plan:
        plain = super().plan()
        return replace(plain, load=replace(plain.load, dealt=Dealt(arm=self.arm, block_ns=self.block_ns)))


def half(path: Path, arm: int, took_s: float, bad_every: int = 0, **more: object) -> RunDirectory:
    random = np.random.default_rng(5)  # the machine's noise is the same for both: it is one machine
    noise = np.repeat(random.lognormal(0, 0.5, 32), 40)  # slow for a second at a time
    rows: list[Sample] = []
    for seq in range(32 * 40):
        at_ns = seq * S // 40
        if arm_of(at_ns, BLOCK_NS, 1) == arm:
            row = sample(seq, at_ns / S, took_s * float(noise[seq % len(noise)]) * (0.8 + 0.4 * float(random.random())))
            rows.append(failed(row) if bad_every and seq % bad_every == 0 else row)
    steady = tuple(replace(p, kind=PhaseKind.STEADY) if p.kind is PhaseKind.FAULT else p for p in PHASES)
    builder = Half(objectives=(latency(), error_rate()), samples=rows, faults=(), steps={}, phases=steady)
    builder.arm = arm
    for name, value in more.items():
        setattr(builder, name, value)
    run = builder.build(path / f"run{next(numbers)}")
    judge_and_write(run)
    return run


def compared(path: Path, newer: RunDirectory) -> Paired:
    return compare_pair(newer, half(path, 0, 0.5))


def test_an_equal_version_is_not_worse(tmp_path: Path) -> None:
    paired = compared(tmp_path, half(tmp_path, 1, 0.5))
    assert (paired.finding, exit_code_of(paired)) == ("not worse", 0), paired.reason
    assert {d.phase for d in paired.differences} == {"steady", "outage", "recovery"}
    assert all(d.pairs >= 9 for d in paired.differences)


def test_a_slower_version_is_worse_though_the_machine_differs_more_from_second_to_second(tmp_path: Path) -> None:
    paired = compared(tmp_path, half(tmp_path, 1, 0.7))
    assert (paired.finding, exit_code_of(paired)) == ("worse", 1)
    assert "median response" in paired.reason


def test_a_version_that_fails_more_often_is_worse(tmp_path: Path) -> None:
    paired = compared(tmp_path, half(tmp_path, 1, 0.5, bad_every=6))
    assert paired.finding == "worse"
    assert any(d.quantity == "bad share" and d.finding == "worse" for d in paired.differences)


def test_a_faster_version_is_not_worse(tmp_path: Path) -> None:
    assert compared(tmp_path, half(tmp_path, 1, 0.3)).finding == "not worse"


def test_an_invalid_run_decides_nothing(tmp_path: Path) -> None:
    paired = compared(tmp_path, half(tmp_path, 1, 0.5, manifest=False))
    assert (paired.finding, exit_code_of(paired)) == ("invalid", 4)


def test_runs_that_shared_no_schedule_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="did not share one schedule"):
        compared(tmp_path, half(tmp_path, 0, 0.5))
    with pytest.raises(ConfigurationError, match="did not share one schedule"):
        compared(tmp_path, half(tmp_path, 1, 0.5, block_ns=BLOCK_NS * 2))


def test_each_arrival_goes_to_one_version_and_each_pair_of_blocks_to_both(tmp_path: Path) -> None:
    plan = RunBuilder().plan()
    whole = build_schedule(plan)
    halves = [build_schedule(replace(plan, load=replace(plan.load, dealt=Dealt(arm=arm, block_ns=BLOCK_NS)))) for arm in (0, 1)]
    assert sorted([*halves[0].seq, *halves[1].seq]) == list(whole.seq)
    pairs = [{pair_of(at, BLOCK_NS) for at in part.intended_ns} for part in halves]
    assert pairs[0] == pairs[1]
    firsts = [arm_of(2 * pair * BLOCK_NS, BLOCK_NS, seed=1) for pair in range(200)]
    assert 60 < sum(firsts) < 140  # a coin: neither version has always the first block


def test_holm_rejects_step_by_step() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005], 0.05) == [True, False, False, True]
    assert holm([0.013, 0.013, 0.013, 0.013], 0.05) == [False] * 4
    assert holm([], 0.05) == []


def test_a_mean_of_differences_has_students_bounds() -> None:
    mean = paired_mean(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), 0.95)
    assert mean.value == pytest.approx(3.0)
    assert (mean.lower, mean.upper) == pytest.approx((1.4925, 4.5075), abs=1e-3)  # 3 +- 2.1318 x 0.7071
    assert paired_mean(np.array([0.0, 0.0, 0.0]), 0.95).p_value == 1.0
    for wrong in (np.array([1.0]), np.array([1.0, np.nan])):
        with pytest.raises(ValueError, match="differences"):
            paired_mean(wrong, 0.95)
