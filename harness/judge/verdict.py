"""The verdict of a run: every objective and check judged, weighed, and said in one sentence. Reads no clock."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from harness.checks import CHECKS
from harness.judge.burn import judge_burn
from harness.judge.claims import judge_claims
from harness.judge.integrity import judge_integrity
from harness.judge.longest import judge_longest
from harness.judge.moments import judge_moment
from harness.judge.order import judge_order
from harness.judge.ratio import judge_ratio
from harness.judge.recovery import judge_recovery
from harness.judge.regression import judge_regression
from harness.judge.rows import row_of
from harness.judge.server_metrics import judge_server_metric
from harness.judge.spend import judge_spend
from harness.judge.texts import judge_texts
from harness.judge.validity import in_one_sentence, why_invalid
from harness.judge.waivers import waived
from harness.judge.wording import count
from harness.measure import Reading, read_run
from harness.measure.shares import RATIO_QUANTITIES
from harness.measure.summary import duration_s
from harness.model.judgement import (
    EXIT_CODES,
    Judgement,
    Recorded,
    Status,
    Verdict,
    VerdictScenario,
    VerdictTarget,
    gravest,
)
from harness.model.objective import Kind, Objective, Quantity, Severity
from harness.model.plan import PlannedCheck
from harness.rundir import RunDirectory

JUDGES: Mapping[Quantity, Callable[[Reading, Objective], list[Judgement]]] = {
    **dict.fromkeys(RATIO_QUANTITIES, judge_ratio),
    Quantity.STREAM_INTEGRITY: judge_integrity,
    Quantity.ORDER: judge_order,
    Quantity.LONGEST_WAIT: judge_longest,
    Quantity.RECOVERY: judge_recovery,
    Quantity.DETECTION: judge_moment,
    Quantity.TO_FALLBACK: judge_moment,
    Quantity.TO_PRIMARY: judge_moment,
    Quantity.SPEND: judge_spend,
    Quantity.COST_PER_QUERY: judge_spend,
    Quantity.TOKENS: judge_spend,
    Quantity.BURN_RATE: judge_burn,
    Quantity.SERVER_METRIC: judge_server_metric,
    Quantity.LOG_RULE: judge_texts,
    Quantity.ANSWER_RULE: judge_texts,
}

NEAREST_THE_CAUSE = (
    Kind.INVARIANT,
    Kind.CHECK,
    Quantity.FALLBACK_SHARE,
    Quantity.TO_FALLBACK,
    Quantity.DEGRADED_SHARE,
    Quantity.BREAKAGE,
    Quantity.REFUSAL_SHARE,
    Quantity.ERROR_SHARE,
    Quantity.AVAILABILITY,
    Quantity.LATENCY,
    Quantity.TTFT,
    Quantity.RECOVERY,
    Quantity.TO_PRIMARY,
    Quantity.SPEND,
)
"""Which of several failed objectives the verdict's sentence is about: a missing fallback makes errors, errors make
latency fail, and all of them keep a service from recovering."""


def judge(run: RunDirectory, reading: Reading | None = None) -> Verdict:
    """Return the verdict of a run from its directory alone, the same each time.

    reading: the run, where somebody has read it already.
    Closes the samples first where a killed run left only streams. Raises RunDirectoryError on what cannot be read.
    """
    reading = read_run(run) if reading is None else reading
    plan = reading.plan
    recorded = run.recorded()
    # Of a large run, the digests and the instrument's health take as long as the objectives: two at a time.
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="judge") as pool:
        doubts = pool.submit(why_invalid, run, reading)
        judged = pool.map(lambda objective: _judge_objective(reading, objective, recorded), plan.objectives)
        results = [judgement for judgements in judged for judgement in judgements]
        problems = doubts.result()
    results += judge_regression(run, reading, results)
    results += [_judge_check(reading, check, recorded) for check in plan.checks]
    results += judge_claims(reading)
    run_day = datetime.datetime.fromisoformat(_started_at(reading)).astimezone(datetime.UTC).date()
    results = [waived(_weighed(judgement, problems), run_day) for judgement in results]
    overall = _overall(results, problems)
    return Verdict(
        run_id=plan.run_id,
        verdict=overall,
        exit_code=int(EXIT_CODES[overall]),
        reason=_reason(overall, results, problems, plan.objectives),
        started_at=_started_at(reading),
        duration_s=round(duration_s(reading), 3),
        harness_version=plan.harness_version,
        seed=plan.seed,
        plan_digest=run.plan_digest(),
        scenario=VerdictScenario(name=plan.scenario.name, digest=plan.scenario.digest),
        target=VerdictTarget(kind=plan.target.kind, version=plan.target.version),
        spend_usd=_whole_spend_usd(reading),
        results=tuple(results),
        faults=reading.faults,
        instrument=reading.health,
        labels=plan.labels,
    )


def judge_and_write(run: RunDirectory, reading: Reading | None = None) -> Verdict:
    """Judge a run and write `verdicts/NNN.json` and `verdict.json`. Raises RunDirectoryError, StorageError."""
    verdict = judge(run, reading)
    run.write_verdict(verdict)
    return verdict


def _judge_objective(reading: Reading, objective: Objective, recorded: Recorded) -> list[Judgement]:
    judge_one = JUDGES.get(objective.quantity)
    if judge_one is not None:
        return judge_one(reading, objective)
    if objective.quantity is Quantity.EXTENSION:
        # The waiver and the owner are the plan's of today's code, like those of every other row.
        rows = [replace(row, owner=objective.owner, waiver=objective.waiver) for row in recorded.of(objective.id)]
        return rows or [row_of(objective, Status.INCONCLUSIVE, _unasked(f"objective {objective.expression}"))]
    return [row_of(objective, Status.INCONCLUSIVE, f"this version of the harness does not judge {objective.quantity}")]


def _unasked(what: str) -> str:
    return f"the run ended before the plug-in that brings the {what} had judged it; only a run asks a plug-in: run it again"


def _judge_check(reading: Reading, check: PlannedCheck, recorded: Recorded) -> Judgement:
    known = CHECKS.get(check.name)
    if check.not_offered is not None:
        return _not_applicable(check, check.not_offered)
    if known is not None:
        return known[1](reading, check)
    if rows := recorded.of(check.id):
        return rows[0]
    of_plugin = any(check.name in reference.brings for reference in reading.plan.plugins)
    return Judgement(
        id=check.id,
        kind=Kind.CHECK,
        severity=Severity.GATE,
        status=Status.INCONCLUSIVE,
        reason=_unasked(f"check {check.name}") if of_plugin else f"this version of the harness knows no check {check.name!r}",
        covers=check.covers,
        phase=check.phase,
    )


def _not_applicable(check: PlannedCheck, why: str) -> Judgement:
    return Judgement(
        id=check.id,
        kind=Kind.CHECK,
        severity=Severity.GATE,
        status=Status.NOT_APPLICABLE,
        reason=f"not put to the test: {why}",
        covers=check.covers,
        phase=check.phase,
        written=check.name,
    )


def _weighed(judgement: Judgement, problems: Sequence[str]) -> Judgement:
    """Return a result as its severity and the run's validity leave it; its figures stay."""
    violated = judgement.kind is Kind.INVARIANT and judgement.status is Status.FAIL
    if problems and not violated and judgement.status is not Status.NOT_APPLICABLE:
        return replace(
            judgement, status=Status.INVALID, reason=f"not judged, the run is invalid; it measured: {judgement.reason}"
        )
    if judgement.severity is Severity.WARN and judgement.status is Status.FAIL:
        return replace(judgement, status=Status.WARN)
    return judgement


def _overall(results: Sequence[Judgement], problems: Sequence[str]) -> Status:
    gates = [judgement.status for judgement in results if judgement.severity is Severity.GATE]
    overall = gravest([*gates, Status.INVALID] if problems else gates)
    warned = any(j.status is Status.WARN for j in results if j.severity is Severity.WARN)
    return Status.WARN if overall is Status.PASS and warned else overall


def _reason(overall: Status, results: Sequence[Judgement], problems: Sequence[str], objectives: Sequence[Objective]) -> str:
    if overall is Status.INVALID:
        return f"invalid: {in_one_sentence(problems)}"
    gates = [judgement for judgement in results if judgement.severity is Severity.GATE]
    if overall is Status.PASS:
        passed = sum(judgement.status is Status.PASS for judgement in gates)
        return f"pass: all {passed} results passed" if passed != 1 else f"pass: {gates[0].reason}"
    quantity = {objective.id: objective.quantity for objective in objectives}

    def rank(judgement: Judgement) -> int:
        keys = (judgement.kind, quantity.get(judgement.id, Quantity.CHECK))
        return min((NEAREST_THE_CAUSE.index(key) for key in keys if key in NEAREST_THE_CAUSE), default=1)

    telling = sorted((j for j in results if j.status is overall), key=rank)
    if not telling:
        return f"{overall.value}: nothing was judged: the scenario has no gate objective that applies"
    rest = len(telling) - 1
    return f"{overall.value}: {telling[0].reason}" + (f" (and {count(rest, 'more result')} like it)" if rest else "")


def _started_at(reading: Reading) -> str:
    clock = reading.plan.clock
    if clock is None:
        return reading.plan.created_at
    return datetime.datetime.fromtimestamp(clock.zero_wall_ns / 1e9, datetime.UTC).isoformat(timespec="milliseconds")


def _whole_spend_usd(reading: Reading) -> float:
    """Return all that the run cost, bursts of checks included: by the provider, else as the target claims."""
    if reading.calls is not None:
        return round(reading.calls.cost_usd, 9)
    return round(float(np.nansum(reading.requests.claimed_cost_usd)), 9)
