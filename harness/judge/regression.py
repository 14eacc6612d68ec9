"""Regressions: is this run worse than an earlier, passed one, by more than chance and by enough to matter?

Compared are the shares of every ratio objective, and the share of requests slower than the baseline's own p50 and p95.
Only runs of one configuration are comparable; a baseline of another is refused before the run starts.
"""

from pathlib import Path

from harness.errors import ConfigurationError, RunDirectoryError
from harness.judge.wording import percent, seconds
from harness.measure.baseline import configuration_of, histograms_of, mark_at, marks_of
from harness.measure.reading import Reading
from harness.model.baseline import Baseline, BaselineShare
from harness.model.histogram import midpoint_ns
from harness.model.judgement import Judgement, Status, Test, Verdict
from harness.model.objective import Kind, Severity
from harness.model.plan import Plan
from harness.rundir import RunDirectory, codec
from harness.stats.bounds import CONFIDENCE
from harness.stats.differences import Comparison, Share, bounds_of_difference, compare_shares

NAME = "baseline.json"
MAX_BYTES = 200_000

EFFECT = 0.03
"""A share of bad events must grow by three points of a hundred to be a regression: 1 % to 4 %."""

MARK_EFFECTS = {500: 0.10, 950: 0.05}
"""By how much the share of requests slower than the baseline's p50 (half of them) and p95 (one in twenty) must grow."""

_STATUS = {
    Comparison.NOT_WORSE: Status.PASS,
    Comparison.WORSE: Status.FAIL,
    Comparison.UNDECIDED: Status.INCONCLUSIVE,
}


def baseline_of(reading: Reading, verdict: Verdict) -> Baseline:
    """Return the baseline of a run. Raises ConfigurationError for one that did not pass: it is no measure for others."""
    if verdict.verdict not in (Status.PASS, Status.WARN):
        raise ConfigurationError(
            f"{reading.run.path}: its verdict is {verdict.verdict.value}; only a passed run can be a baseline",
            advice=verdict.reason,
        )
    shares = [
        BaselineShare(id=row.id, phase=row.phase or "", bad=row.test.bad, n=row.test.n, n_effective=row.test.n_effective)
        for row in verdict.results
        if row.kind is Kind.RATIO
        and row.test is not None
        and row.test.n is not None
        and row.test.bad is not None
        and row.test.n_effective is not None
    ]
    plan = reading.plan
    return Baseline(
        run_id=plan.run_id,
        recorded_at=verdict.started_at,
        scenario=plan.scenario.name,
        configuration=configuration_of(plan),
        target_kind=plan.target.kind,
        target_version=plan.target.version,
        harness_version=plan.harness_version,
        shares=tuple(shares),
        marks=marks_of(reading),
        histograms=histograms_of(reading),
    )


def read_baseline(path: Path) -> Baseline:
    """Return the baseline in a file. Raises ConfigurationError where it is none."""
    try:
        baseline = codec.read_json(path, Baseline)
    except RunDirectoryError as error:
        raise ConfigurationError(
            f"{path}: no baseline: {error}", advice="write one with: harness baseline save RUN FILE"
        ) from error
    if baseline.schema != Baseline.__dataclass_fields__["schema"].default:
        raise ConfigurationError(f"{path}: written as {baseline.schema}, which this version does not read")
    return baseline


def check_comparable(baseline: Baseline, plan: Plan, where: str) -> None:
    """Raise ConfigurationError where a run of the plan cannot be compared with the baseline."""
    if baseline.configuration == configuration_of(plan):
        return
    differ = [
        f"{what} was {old!r} and is {new!r}"
        for what, old, new in (
            ("the scenario", baseline.scenario, plan.scenario.name),
            ("the kind of target", baseline.target_kind, plan.target.kind),
        )
        if old != new
    ]
    raise ConfigurationError(
        f"{where}: a baseline of another configuration: {'; '.join(differ) or 'its phases, load or faults differ'}",
        advice="compare runs of one scenario with the same --set; save a new baseline with: harness baseline save RUN FILE",
    )


def judge_regression(run: RunDirectory, reading: Reading, results: list[Judgement]) -> list[Judgement]:
    """Return the rows of the comparison; none where no baseline was asked for. Raises ConfigurationError."""
    if reading.plan.baseline is None:
        return []
    path = run.path / NAME
    if not path.is_file():
        reason = (
            f"no baseline was found at {reading.plan.baseline}, so nothing says whether this run is worse than an earlier "
            "one; save one with: harness baseline save RUN FILE"
        )
        return [_row("regression", None, Status.INCONCLUSIVE, reason)]
    baseline = read_baseline(path)
    check_comparable(baseline, reading.plan, str(path))
    rows = [_share_row(old, results) for old in baseline.shares]
    for mark in baseline.marks:
        members = reading.members[mark.phase]
        took = reading.requests.response_ns[members.eligible & reading.requests.due]
        new = mark_at(mark.phase, mark.permille, mark.bucket, took)
        what = f"slower than {seconds(midpoint_ns(mark.bucket) / 1e9)}, the baseline's p{mark.permille / 10:g}"
        effect = MARK_EFFECTS.get(mark.permille, EFFECT)
        old_share, new_share = _worth(mark.above, mark.n, mark.n_effective), _worth(new.above, new.n, new.n_effective)
        name = f"slower-than-p{mark.permille / 10:g}".replace(".", "-")
        rows.append(_compared(name, mark.phase, what, old_share, new_share, effect))
    return rows or [_row("regression", None, Status.INCONCLUSIVE, "the baseline holds nothing to compare with")]


def _share_row(old: BaselineShare, results: list[Judgement]) -> Judgement:
    found = next((row for row in results if row.id == old.id and (row.phase or "") == old.phase), None)
    test = None if found is None else found.test
    if test is None or not test.n or test.bad is None or test.n_effective is None:
        reason = f"the baseline has {old.id} in phase {old.phase}, and this run has no figure for it"
        return _row(f"{old.id}-regression", old.phase, Status.INCONCLUSIVE, reason)
    return _compared(
        f"{old.id}-regression",
        old.phase,
        f"bad for {old.id}",
        _worth(old.bad, old.n, old.n_effective),
        _worth(test.bad, test.n, test.n_effective),
        EFFECT,
    )


def _worth(bad: int, n: int, n_effective: float) -> Share:
    return Share(bad=bad * min(n_effective, n) / n if n else 0.0, n=min(n_effective, n))


def _compared(name: str, phase: str, what: str, old: Share, new: Share, effect: float) -> Judgement:
    bounds = bounds_of_difference(old, new)
    status = _STATUS[compare_shares(old, new, effect)]
    test = Test(
        quantity="difference_of_shares",
        op="<=",
        limit=effect,
        value=bounds.value,
        lower=bounds.lower,
        upper=bounds.upper,
        confidence=CONFIDENCE,
        n=round(new.n),
    )
    if bounds.value is None:
        reason = f"nothing was counted in phase {phase} in one of the two runs"
        return _row(name, phase, Status.INCONCLUSIVE, reason, test)
    was, now = percent(old.bad / old.n), percent(new.bad / new.n)
    between = f"the true change is {percent(bounds.lower)} to {percent(bounds.upper)} in points of a hundred"
    least = percent(effect)
    if status is Status.FAIL:
        told = f"a regression: at least {least} worse, and no accident"
    elif status is Status.PASS:
        told = f"not worse by {least}"
    else:
        told = f"too few requests to rule out that it is worse by {least}"
    return _row(
        name, phase, status, f"{now} of the requests in phase {phase} were {what}, {was} before: {told} ({between})", test
    )


def _row(name: str, phase: str | None, status: Status, reason: str, test: Test | None = None) -> Judgement:
    return Judgement(
        id=name,
        kind=Kind.REGRESSION,
        severity=Severity.GATE,
        status=status,
        reason=reason,
        phase=phase,
        written="no worse than the baseline",
        test=test,
    )
