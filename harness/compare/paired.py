"""Two versions that shared one schedule, block by block: what became worse, judged on the differences within pairs.

Each pair of blocks gives one difference, the newer version less the older one, of two stretches of load that lay side by
side in time. What the machine did to both falls out. The mean difference has Student's interval over the pairs; which
version had the first block of a pair was a coin's choice, so that no drift of the machine favours either.
Source: docs/decisions/0092-paired-comparison.md
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.errors import ConfigurationError
from harness.measure import Reading, read_run
from harness.measure.columns import Floats, Mask
from harness.model.judgement import Status
from harness.model.plan import Dealt, PhaseKind
from harness.model.units import NS_PER_S
from harness.rundir import RunDirectory
from harness.stats.differences import Share, bounds_of_difference
from harness.stats.paired import PairedMean, holm, paired_mean

PAIRED_SCHEMA = "harness.paired/1"
CONFIDENCE = 0.95
LEAST_PAIRS = 5
"""Fewer pairs tell nothing about how much pairs differ."""

BAD, SLOW, TIME = "bad share", "slower than the older version's p95", "median response"
EFFECTS: Mapping[str, float] = {BAD: 0.03, SLOW: 0.05, TIME: 0.10}
"""What matters: three points of a hundred failing, five beyond the older version's p95, a tenth of the median response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedDifference:
    """One figure in one phase. older, newer: over all pairs, a ratio or seconds, None for "never".

    value, lower, upper: newer - older, of a time newer / older - 1; each bound at 95 %.
    finding: `worse`, `not worse` or `undecided`.
    """

    phase: str
    quantity: str
    older: float | None
    newer: float | None
    value: float
    lower: float
    upper: float
    p_value: float
    effect: float
    pairs: int
    requests: int
    finding: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """What the comparison came to. verdicts: of both runs. `paired.json` beside them."""

    finding: str
    reason: str
    newer_version: str | None
    older_version: str | None
    block_ns: int
    verdicts: Mapping[str, str]
    differences: tuple[PairedDifference, ...]
    schema: str = PAIRED_SCHEMA


_EXIT = {"worse": 1, "undecided": 3, "not worse": 0, "invalid": 4}


def exit_code_of(paired: Paired) -> int:
    """Return 1 where the newer version is worse, 3 where that cannot be told, 4 where one run is invalid, else 0."""
    return _EXIT[paired.finding]


def compare_pair(newer: RunDirectory, older: RunDirectory) -> Paired:
    """Return how the newer version differs. Raises ConfigurationError for two runs that shared no schedule."""
    sides = (read_run(older), read_run(newer))
    dealt = _dealt(*sides)
    verdicts = {"newer": newer.verdict(), "older": older.verdict()}
    differences = _decided(list(_figures(*sides, dealt)))
    found = {each.finding for each in differences}
    invalid = [name for name, verdict in verdicts.items() if verdict.verdict is Status.INVALID]
    if invalid:
        finding, reason = "invalid", f"the run of the {invalid[0]} version is invalid: {verdicts[invalid[0]].reason}"
    elif "worse" in found:
        finding = "worse"
        worst = max((d for d in differences if d.finding == "worse"), key=lambda d: d.value / d.effect)
        reason = f"the newer version is worse: {_told(worst)}"
    elif not differences or "undecided" in found:
        finding = "undecided"
        wide = [d for d in differences if d.finding == "undecided"]
        reason = f"too few pairs to tell: {_told(wide[0])}" if wide else f"no phase has {LEAST_PAIRS} pairs of blocks with both"
    else:
        finding, reason = "not worse", f"not worse in any of {len(differences)} figures, by the effects that matter"
    return Paired(
        finding=finding,
        reason=reason,
        newer_version=sides[1].plan.target.version,
        older_version=sides[0].plan.target.version,
        block_ns=dealt.block_ns,
        verdicts={name: verdict.verdict.value for name, verdict in verdicts.items()},
        differences=differences,
    )


def _dealt(older: Reading, newer: Reading) -> Dealt:
    one, other = older.plan.load.dealt, newer.plan.load.dealt
    if one is None or other is None or one.arm == other.arm or one.block_ns != other.block_ns:
        raise ConfigurationError(
            "these two runs did not share one schedule", advice="make them with: harness run SCENARIO --target NEW --against OLD"
        )
    if (older.plan.scenario.digest, older.plan.seed) != (newer.plan.scenario.digest, newer.plan.seed):
        raise ConfigurationError("these two runs are of different scenarios or seeds")
    return one


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figure:
    """One figure of a phase. differences: one for each pair with requests of both versions; relative where it is a time."""

    phase: str
    quantity: str
    older: float
    newer: float
    differences: Floats
    mean: PairedMean | None
    requests: int


def _figures(older: Reading, newer: Reading, dealt: Dealt) -> Iterator[_Figure]:
    """Yield the figures of every judged phase: of all that was intended in it, by both versions alike.

    Who recovers later must not be judged on fewer requests.
    """
    for phase in older.plan.phases:
        if phase.kind is PhaseKind.WARMUP or phase.name not in newer.members:
            continue
        yield _share(phase.name, BAD, [_by_pair(r, phase.name, r.requests.bad, dealt) for r in (older, newer)])
        took = np.sort(older.requests.response_ns[_counted(older, phase.name)])
        mark_ns = float(took[max(0, math.ceil(took.size * 0.95) - 1)]) if took.size else math.inf
        if math.isfinite(mark_ns):
            beyond = [_by_pair(r, phase.name, ~(r.requests.response_ns <= mark_ns), dealt) for r in (older, newer)]
            yield _share(phase.name, SLOW, beyond)
        yield _time(phase.name, older, newer, dealt)


def _share(phase: str, quantity: str, sides: Sequence[tuple[Floats, Floats]]) -> _Figure:
    (n_old, bad_old), (n_new, bad_new) = sides
    both = (n_old > 0) & (n_new > 0)
    differences = np.asarray(bad_new[both] / n_new[both] - bad_old[both] / n_old[both], dtype=np.float64)
    mean = paired_mean(differences, CONFIDENCE) if differences.size >= LEAST_PAIRS else None
    if mean is not None and mean.upper == mean.value:  # no pair differs from another: the counts' exact bounds widen it
        old, new = (Share(bad=float(bad.sum()), n=float(n.sum())) for n, bad in sides)
        bounds = bounds_of_difference(old, new, CONFIDENCE)
        mean = replace(mean, lower=min(mean.lower, bounds.lower), upper=max(mean.upper, bounds.upper))
    shares = [float(bad.sum() / n.sum()) if n.sum() else math.nan for n, bad in sides]
    return _Figure(
        phase=phase,
        quantity=quantity,
        older=shares[0],
        newer=shares[1],
        differences=differences,
        mean=mean,
        requests=int(n_old.sum() + n_new.sum()),
    )


def _time(phase: str, older: Reading, newer: Reading, dealt: Dealt) -> _Figure:
    """Return the figure of the median: the ratio within each pair, by its logarithm, so that a slow second falls out."""
    medians = [_medians(reading, phase, dealt) for reading in (older, newer)]
    both = np.isfinite(medians[0]) & np.isfinite(medians[1])
    differences = np.asarray(np.log(medians[1][both] / medians[0][both]), dtype=np.float64)
    mean = paired_mean(differences, CONFIDENCE) if differences.size >= LEAST_PAIRS else None
    if mean is not None:
        value, lower, upper = (math.expm1(number) for number in (mean.value, mean.lower, mean.upper))
        mean = replace(mean, value=value, lower=lower, upper=upper)
    overall = [np.median(r.requests.response_ns[_counted(r, phase)]) / NS_PER_S for r in (older, newer)]
    return _Figure(
        phase=phase,
        quantity=TIME,
        older=float(overall[0]),
        newer=float(overall[1]),
        differences=differences,
        mean=mean,
        requests=sum(int(np.count_nonzero(_counted(r, phase))) for r in (older, newer)),
    )


def _medians(reading: Reading, phase: str, dealt: Dealt) -> Floats:
    """Return the median response of each pair of blocks; NaN where a version sent nothing, infinite where half failed."""
    counted = _counted(reading, phase)
    pairs = (reading.requests.intended_ns // (2 * dealt.block_ns))[counted]
    took = reading.requests.response_ns[counted]
    medians = np.full(int(reading.plan.end_ns // (2 * dealt.block_ns)) + 1, np.nan)
    for pair in np.unique(pairs):
        medians[pair] = np.median(took[pairs == pair])
    return medians


def _counted(reading: Reading, phase: str) -> Mask:
    return reading.members[phase].intended & ~reading.requests.cancelled


def _by_pair(reading: Reading, phase: str, bad: Mask, dealt: Dealt) -> tuple[Floats, Floats]:
    pairs = reading.requests.intended_ns // (2 * dealt.block_ns)
    size = int(reading.plan.end_ns // (2 * dealt.block_ns)) + 1
    counted = _counted(reading, phase)
    n = np.bincount(pairs[counted], minlength=size).astype(np.float64)
    return n, np.bincount(pairs[counted & bad], minlength=size).astype(np.float64)


def _decided(figures: Sequence[_Figure]) -> tuple[PairedDifference, ...]:
    """Return the findings. Worse: significant, corrected by Holm over all figures, and by at least the effect.

    Not worse needs no correction: the newer version passes only if every figure says so.
    """
    usable = [(figure, figure.mean) for figure in figures if figure.mean is not None]
    surely = holm([mean.p_value for _, mean in usable], 1 - CONFIDENCE)
    found = []
    for (figure, mean), sure in zip(usable, surely, strict=True):
        effect = EFFECTS[figure.quantity]
        worse = sure and mean.value >= effect
        found.append(
            PairedDifference(
                phase=figure.phase,
                quantity=figure.quantity,
                older=_or_none(figure.older),
                newer=_or_none(figure.newer),
                value=mean.value,
                lower=mean.lower,
                upper=mean.upper,
                p_value=mean.p_value,
                effect=effect,
                pairs=mean.pairs,
                requests=figure.requests,
                finding="worse" if worse else "not worse" if mean.upper <= effect else "undecided",
            )
        )
    return tuple(found)


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None


def figure_text(d: PairedDifference, value: float | None) -> str:
    """Return one side of a difference as people read it."""
    if value is None:
        return "never"
    return f"{value:.3g} s" if d.quantity == TIME else f"{100 * value:.1f} %"


def _told(d: PairedDifference) -> str:
    figures = f"{d.quantity} {figure_text(d, d.newer)}, {figure_text(d, d.older)} of the older one"
    within = f"{100 * d.value:+.1f} % within {d.pairs} pairs, between {100 * d.lower:+.1f} % and {100 * d.upper:+.1f} %"
    return f"in phase {d.phase} {figures} ({within}; {100 * d.effect:.0f} % matters)"
