"""The oracle of every run: canaries in every phase, none of which may get through, valid run or not."""

from dataclasses import replace
from pathlib import Path

import pytest
from probe_runs import A, Answering, check_of, recorded
from run_builder import PHASES, RunBuilder, S, call_of, healthy_samples, refused, sample

from harness.checks import CHECKS, PLANNERS
from harness.judge import judge
from harness.measure import read_run
from harness.model.judgement import Judgement, Status
from harness.model.outcome import Refusal, Result
from harness.model.plan import Phase, PhaseKind, Plan
from harness.model.probe import Probe
from harness.model.sample import Call, Sample
from harness.scenario.planned_checks import OF_EVERY_RUN

CHECK = replace(check_of("guard bypass"), phase="warmup")
WHOLE = Phase(name="warmup", kind=PhaseKind.STEADY, start_ns=0, end_ns=PHASES[-1].end_ns)
STEPS = PLANNERS["guard bypass"].plan(CHECK, WHOLE)


def keyless(probe: Probe, _: int, __: str | None) -> A:
    return A(status=401, refusal="auth") if probe.name.startswith("no-key") else A()


def canaries(refusal: Refusal = Refusal.GUARD) -> list[Sample]:
    return [
        refused(
            sample(10_000 + n, burst.at_ns / S, user_class="check:guard-bypass", principal=burst.principal), refusal, status=400
        )
        for n, burst in enumerate(STEPS.bursts)
    ]


def seen(
    path: Path,
    attacks: list[Sample],
    answering: Answering | None = keyless,
    *,
    calls: list[Call] | None = None,
    manifest: bool = True,
) -> Judgement:
    rows = [*healthy_samples(), *attacks]
    usual = [call_of(row) for row in healthy_samples()]
    builder = RunBuilder(samples=rows, checks=(CHECK,), bursts=STEPS.bursts, calls=[*usual, *(calls or [])], manifest=False)
    run = builder.build(path / "run")
    for record in [] if answering is None else recorded(CHECK, WHOLE, answering):
        run.append_probe(record)
    if manifest:
        run.write_manifest()
        return CHECKS[CHECK.name][1](read_run(run), CHECK)
    return next(row for row in judge(run).results if row.id == CHECK.id)


def test_canaries_that_are_all_kept_out_pass(tmp_path: Path) -> None:
    judgement = seen(tmp_path, canaries())
    assert judgement.status is Status.PASS, judgement.reason
    assert "4 phases" in judgement.reason


def test_a_service_that_cannot_look_has_let_nobody_through(tmp_path: Path) -> None:
    assert seen(tmp_path, canaries(Refusal.UNAVAILABLE), lambda *_: A(status=503)).status is Status.PASS


def test_one_answered_attack_fails_and_says_in_which_phase(tmp_path: Path) -> None:
    attacks = canaries()
    attacks[15] = replace(attacks[15], result=Result.ANSWERED, refusal=None, status_code=200)
    judgement = seen(tmp_path, attacks)
    assert judgement.status is Status.FAIL
    assert "1 in outage" in judgement.reason
    assert judgement.evidence[0].ref == "10015"


def test_an_attack_that_was_refused_after_it_was_sent_on_fails(tmp_path: Path) -> None:
    attacks = canaries()
    assert seen(tmp_path, attacks, calls=[replace(call_of(attacks[3]), call_id="leak")]).status is Status.FAIL


def test_a_question_without_a_key_that_is_answered_fails(tmp_path: Path) -> None:
    judgement = seen(tmp_path, canaries(), lambda p, n, i: A() if p.name == "no-key-3" else keyless(p, n, i))
    assert judgement.status is Status.FAIL
    assert "without a key" in judgement.reason


def test_a_leak_fails_an_invalid_run_too(tmp_path: Path) -> None:
    attacks = canaries()
    attacks[2] = replace(attacks[2], result=Result.ANSWERED, refusal=None, status_code=200)
    assert seen(tmp_path, attacks, manifest=False).status is Status.FAIL


@pytest.mark.parametrize("without", ["attacks", "probes", "phase"])
def test_a_phase_in_which_nobody_asked_is_inconclusive(without: str, tmp_path: Path) -> None:
    attacks = [] if without == "attacks" else canaries()
    answering: Answering | None = None if without == "probes" else keyless
    if without == "phase":
        attacks = [row for row in attacks if row.intended_ns < 22 * S]
        answering = lambda p, n, i: keyless(p, n, i) if p.at_ns < 22 * S else None  # noqa: E731
    assert seen(tmp_path, attacks, answering).status is Status.INCONCLUSIVE


def test_canaries_are_in_every_phase_and_no_user_of_theirs_meets_the_rate_limit() -> None:
    for phase in PHASES:
        assert any(phase.start_ns <= burst.at_ns < phase.end_ns for burst in STEPS.bursts)
    users = [burst.principal for burst in STEPS.bursts]
    assert max(users.count(name) for name in users) <= 5
    assert {burst.streamed for burst in STEPS.bursts} == {True, False}


def test_an_hour_has_no_more_canaries_than_two_minutes() -> None:
    hour = PLANNERS["guard bypass"].plan(CHECK, replace(WHOLE, end_ns=3600 * S))
    assert 100 <= len(hour.bursts) <= 121


def planned(tmp_path: Path, capabilities: frozenset[str]) -> Plan:
    from harness.scenario import compile_plan, read_scenario
    from harness.target.embedded import EmbeddedTarget

    file = tmp_path / "s.yaml"
    file.write_text(
        "name: s\ntitle: S\nload:\n  arrivals: {process: constant, rate: 10/s}\n  mix: {faq: 100%}\n"
        "phases:\n  - {name: steady, kind: steady, for: 30s}\nobjectives:\n  - {error rate: '< 50%'}\n"
    )
    offer = replace(EmbeddedTarget().offer(), capabilities=capabilities)
    return compile_plan(read_scenario(file), offer, run_id="r", seed=1, planners=PLANNERS)


def test_every_plan_for_a_target_that_refuses_attacks_has_the_oracle(tmp_path: Path) -> None:
    assert [check.name for check in planned(tmp_path, frozenset({"canaries"})).checks] == list(OF_EVERY_RUN)
    assert planned(tmp_path, frozenset()).checks == ()


def test_probes_are_no_planned_requests_because_no_sample_tells_of_them(tmp_path: Path) -> None:
    plan = planned(tmp_path, frozenset({"canaries"}))
    assert plan.probes
    assert plan.planned_requests == 300 + len(plan.load.bursts)
