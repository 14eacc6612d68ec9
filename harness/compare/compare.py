"""Two runs of one plan, phase by phase: what became worse, what did not, and what cannot be told."""

import enum
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from harness.compare.intervals import Figure, difference, mean, percentile, share
from harness.errors import ConfigurationError
from harness.measure import Reading, read_run
from harness.model.judgement import Status
from harness.model.plan import PhaseKind, Plan
from harness.rundir import RunDirectory

SHARE_EFFECT = 0.01
"""A difference below one request in a hundred is not worth a release."""

RELATIVE_EFFECT = 0.10
"""A tenth: below it, latency and cost differ from run to run on any shared machine."""

CONFIDENCE = 0.95
"""For all differences of a comparison together; each has its part of what may go wrong (Bonferroni)."""


class Finding(enum.StrEnum):
    """What a difference says."""

    WORSE = "worse"  # surely different, and by at least the minimum effect
    BETTER = "better"
    NOT_WORSE = "not worse"  # surely not worse by the minimum effect
    UNDECIDED = "undecided"  # neither can be said: more requests would decide


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One figure in both runs. unit: `ratio`, `s` or `USD`. value, low, high: new - base, infinite where a side never came.

    effect: the least difference that matters, in the same unit.
    """

    phase: str
    quantity: str
    unit: str
    base: Figure
    new: Figure
    value: float
    low: float
    high: float
    effect: float
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two runs. confidence: of each single difference. finding: the gravest of worse, undecided, not worse."""

    base: str
    new: str
    base_version: str | None
    new_version: str | None
    confidence: float
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]

    @property
    def finding(self) -> Finding:
        """Return worse before undecided before not worse."""
        found = {each.finding for each in self.differences}
        return next((each for each in (Finding.WORSE, Finding.UNDECIDED) if each in found or not found), Finding.NOT_WORSE)


def compare(
    base: RunDirectory, new: RunDirectory, *, share_effect: float = SHARE_EFFECT, relative_effect: float = RELATIVE_EFFECT
) -> Comparison:
    """Return how `new` differs from `base`.

    Raises ConfigurationError where the two were not asked the same, or where one cannot be believed.
    """
    plans = [base.read_plan(), new.read_plan()]
    problems = [*_mismatches(*plans), *_not_believed(base), *_not_believed(new)]
    if problems:
        raise ConfigurationError("these two runs cannot be compared:", *(f"  {text}" for text in problems))
    readings = (read_run(base), read_run(new))
    before, after = readings
    pairs = list(_figures(before, after, CONFIDENCE))
    confidence = 1 - (1 - CONFIDENCE) / max(1, len(pairs))
    differences = [
        _difference(*pair, share_effect=share_effect, relative_effect=relative_effect)
        for pair in _figures(before, after, confidence)
    ]
    return Comparison(
        base=plans[0].run_id,
        new=plans[1].run_id,
        base_version=plans[0].target.version,
        new_version=plans[1].target.version,
        confidence=confidence,
        differences=tuple(differences),
        notes=tuple(_notes(*plans)),
    )


def _mismatches(base: Plan, new: Plan) -> list[str]:
    """Return what the two runs were not asked alike; seed, labels, workers and the target's version may differ."""
    alike = {
        "scenario": (base.scenario.name, new.scenario.name),
        "target": (base.target.name, new.target.name),
        "kind of target": (base.target.kind, new.target.kind),
    }
    problems = [
        f"the {what} is {one!r} in the one and {other!r} in the other" for what, (one, other) in alike.items() if one != other
    ]
    parts = {
        "the phases": (base.phases, new.phases),
        "the load": (replace(base.load, workers=1), replace(new.load, workers=1)),
        "the faults": (_without_seed(base), _without_seed(new)),
        "the objectives": (base.objectives, new.objectives),
        "the checks": (base.checks, new.checks),
        "the plug-ins": ([(each.path, each.digest) for each in base.plugins], [(each.path, each.digest) for each in new.plugins]),
    }
    differing = [name for name, (one, other) in parts.items() if one != other]
    if differing and not problems:
        changed = [*base.overrides, *new.overrides]
        by = f" (--set {', '.join(changed)})" if changed else ""
        problems.append(f"{' and '.join(differing)} differ{by}: the same must be asked of both")
    return problems


def _without_seed(plan: Plan) -> list[object]:
    return [replace(fault, seed=0) for fault in plan.faults]


def _not_believed(run: RunDirectory) -> list[str]:
    name = run.path.name
    if not (run.path / "verdict.json").is_file():
        return [f"{name} was not judged: harness judge {name}"]
    changed = run.tampered()
    if changed:
        return [f"{name} is not what was measured: {', '.join(changed[:3])} changed"]
    verdict = run.verdict()
    return [f"{name} is invalid: {verdict.reason}"] if verdict.verdict is Status.INVALID else []


def _notes(base: Plan, new: Plan) -> list[str]:
    notes = []
    if base.target.version == new.target.version:
        notes.append(
            f"both runs are of version {base.target.version or 'unknown'}: what differs is chance, settings or the machine"
        )
    if base.seed == new.seed:
        notes.append(f"both runs had seed {base.seed}: the same arrivals and prompts")
    if base.harness_version != new.harness_version:
        notes.append(f"the harness was {base.harness_version} then and {new.harness_version} now")
    return notes


_Pair = tuple[str, str, str, Figure, Figure]


def _figures(base: Reading, new: Reading, confidence: float) -> Iterator[_Pair]:
    """Return phase, quantity, unit and the two figures of everything that both runs have."""
    for name, members in base.members.items():
        if members.phase.kind is PhaseKind.WARMUP or name not in new.members:
            continue
        sides = [(reading.requests, reading.members[name].eligible) for reading in (base, new)]
        pair = [share(requests.bad[mask], confidence) for requests, mask in sides]
        yield from _both(name, "bad share", "ratio", pair)
        for permille in (500, 950):
            pair = [percentile(r.response_ns[mask & r.due] / 1e9, permille, confidence) for r, mask in sides]
            yield from _both(name, f"p{permille // 10}", "s", pair)
    costs = [np.nan_to_num(r.requests.metered_cost_usd[r.requests.mix & r.requests.answered]) for r in (base, new)]
    yield from _both("all phases", "cost per answer", "USD", [mean(cost, confidence) for cost in costs])


def _both(phase: str, quantity: str, unit: str, pair: list[Figure | None]) -> Iterator[_Pair]:
    base, new = pair
    if base is not None and new is not None:
        yield phase, quantity, unit, base, new


def _difference(
    phase: str, quantity: str, unit: str, base: Figure, new: Figure, *, share_effect: float, relative_effect: float
) -> Difference:
    value, low, high = difference(base, new)
    effect = share_effect if unit == "ratio" else relative_effect * base.value if math.isfinite(base.value) else 0.0
    return Difference(
        phase=phase, quantity=quantity, unit=unit, base=base, new=new, value=value, low=low, high=high, effect=effect,
        finding=_finding(value, low, high, effect),
    )  # fmt: skip


def _finding(value: float, low: float, high: float, effect: float) -> Finding:
    if low > 0 and value >= effect:
        return Finding.WORSE
    if high < 0 and value <= -effect:
        return Finding.BETTER
    return Finding.NOT_WORSE if high <= effect else Finding.UNDECIDED
