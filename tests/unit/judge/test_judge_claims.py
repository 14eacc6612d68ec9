"""What a foreign target says of itself is held against the provider's records, and a lie is a finding."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from run_builder import RunBuilder, call_of, healthy_samples

from harness.judge import judge
from harness.model.judgement import Judgement, Status
from harness.model.outcome import Source
from harness.model.plan import Plan
from harness.model.sample import Call, Sample
from harness.model.signals import Predicate, Signals, Where


def _header(name: str) -> Predicate:
    return Predicate(where=Where.HEADER, key=name)


SIGNALS = Signals(fallback=_header("f"), cost=_header("c"), sources=((Source.CACHE, _header("k")),))


class ForeignRun(RunBuilder):
    def plan(self) -> Plan:
        return replace(super().plan(), signals=SIGNALS)


def _honest() -> list[Sample]:
    return [replace(row, claimed_fallback=row.source is Source.SECONDARY) for row in healthy_samples()]


Judged = Callable[..., dict[str, Judgement]]


@pytest.fixture
def judged(tmp_path: Path) -> Judged:
    def judge_run(samples: list[Sample], calls: list[Call] | None = None, **more: object) -> dict[str, Judgement]:
        run = ForeignRun(samples=samples, calls=calls, **{"target_kind": "external", **more})  # type: ignore[arg-type]
        return {result.id: result for result in judge(run.build(tmp_path / "run")).results}

    return judge_run


def test_an_honest_target_has_every_claim_confirmed(judged: Judged) -> None:
    results = judged(_honest())
    assert results["claimed-fallback"].status is Status.PASS
    assert results["claimed-cost"].status is Status.PASS
    assert results["claimed-cache"].status is Status.NOT_APPLICABLE
    assert results["calls-per-answer"].status is Status.PASS


def test_fallback_answers_that_are_passed_off_as_the_primary_s_are_counted_and_shown(judged: Judged) -> None:
    lied = [replace(row, claimed_fallback=False, source=Source.PRIMARY) for row in _honest()]
    calls = [call_of(honest) for honest in _honest()]
    result = judged(lied, calls)["claimed-fallback"]
    assert result.status is Status.WARN
    assert "220 of 640 claims disagree" in result.reason
    assert "220 answers of the second model were not called a fallback" in result.reason
    assert result.evidence[0].ref == "240"


def test_a_cost_below_the_meter_is_a_finding_in_any_phase(judged: Judged) -> None:
    calls = [call_of(row, cost_usd=0.002 if row.seq in (10, 300) else 0.001) for row in _honest()]
    result = judged(_honest(), calls)["claimed-cost"]
    assert result.status is Status.WARN
    assert [part.ref for part in result.evidence] == ["10", "300"]


def test_a_cost_above_the_meter_is_no_lie_where_a_fault_may_have_broken_an_attempt_off(judged: Judged) -> None:
    calls = [call_of(row, cost_usd=0.0005 if row.seq == 300 else 0.001) for row in _honest()]
    assert judged(_honest(), calls)["claimed-cost"].status is Status.PASS


def test_a_cost_above_the_meter_is_a_finding_where_nothing_was_broken(judged: Judged) -> None:
    calls = [call_of(row, cost_usd=0.0005 if row.seq == 10 else 0.001) for row in _honest()]
    assert judged(_honest(), calls)["claimed-cost"].status is Status.WARN


def test_an_answer_from_the_cache_that_called_the_model_is_a_finding(judged: Judged) -> None:
    calls = [call_of(row) for row in _honest()]
    samples = [replace(row, source=Source.CACHE) if row.seq == 7 else row for row in _honest()]
    result = judged(samples, calls)["claimed-cache"]
    assert result.status is Status.WARN
    assert result.evidence[0].ref == "7"


def test_without_the_provider_s_records_nothing_is_said(judged: Judged) -> None:
    assert "claimed-cost" not in judged(_honest(), without_truth=True)


def test_a_target_of_our_own_is_judged_as_before(judged: Judged) -> None:
    assert not any(name.startswith("claimed") for name in judged(_honest(), target_kind="embedded"))


def test_a_run_that_met_our_own_spend_cap_is_invalid_and_no_finding(tmp_path: Path) -> None:
    calls = [call_of(sample) for sample in _honest()]
    calls[7] = replace(calls[7], ended="capped", status_code=402)
    run = ForeignRun(samples=_honest(), calls=calls, target_kind="external").build(tmp_path / "run")
    verdict = judge(run)
    assert verdict.verdict is Status.INVALID
    assert verdict.reason is not None
    assert "spend cap refused 1 calls" in verdict.reason


@pytest.mark.parametrize(
    ("source", "endpoint", "status"),
    [
        (Source.PRIMARY, "primary", Status.WARN),
        (Source.SECONDARY, "secondary", Status.PASS),  # an attempt that never reached the first model is in no record
        (Source.CANNED, "primary", Status.PASS),  # its call was given up for being slow
    ],
)
def test_a_cost_above_the_meter_is_a_lie_only_where_the_primary_s_one_call_gave_the_answer(
    judged: Judged, source: Source, endpoint: str, status: Status
) -> None:
    rows = _honest()
    dear = replace(rows[3], source=source, claimed_cost_usd=0.05)
    result = judged(
        [*rows[:3], dear, *rows[4:]],
        [call_of(row, endpoint=endpoint) if row is dear else call_of(row) for row in [*rows[:3], dear, *rows[4:]]],
    )
    assert result["claimed-cost"].status is status
