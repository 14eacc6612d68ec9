"""How many golden questions were taken, shown and answered as their labels say? By exact bounds, as every share.

The labels stand for all that people ask: a service that happens to be right with most of few questions has not shown much.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.checks.evidence import MOST_EVIDENCE, evidence_of, judgement, told_of, undone
from harness.checks.quality.golden import DOCUMENTS, GOLDEN
from harness.checks.quality.labelled import Labelled, labelled
from harness.checks.quality.measured import unmeasured, wrongly_measured
from harness.checks.quality.planning import PLANNER
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Shown, Status, Test
from harness.model.plan import PlannedCheck
from harness.model.units import parse_duration_ns
from harness.stats import CONFIDENCE, Decision, bounds_of_share, decide


@dataclass(frozen=True, slots=True, kw_only=True)
class _Share:
    """How many of some were right. least: the share that must be."""

    what: str
    least: float
    of: Sequence[Labelled]
    wrong: Sequence[Labelled]

    @property
    def limit(self) -> float:
        return round(1.0 - self.least, 9)

    @property
    def decision(self) -> Decision:
        return decide(len(self.wrong), len(self.of), self.limit)

    @property
    def test(self) -> Test:
        bounds = bounds_of_share(len(self.wrong), len(self.of))
        return Test(
            quantity=f"bad_share: {self.what}",
            op="<=",
            limit=self.limit,
            value=bounds.value,
            lower=bounds.lower,
            upper=bounds.upper,
            confidence=CONFIDENCE,
            n=len(self.of),
            n_effective=float(len(self.of)),
            bad=len(self.wrong),
        )

    def __str__(self) -> str:
        return f"{self.what} {len(self.of) - len(self.wrong)} of {len(self.of)}"


def judge_quality(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether the answers are the right ones, and measured as they are. Raises RunDirectoryError."""
    values = complete(PLANNER.settings, check.settings)
    within_ns = parse_duration_ns(values["within"])
    asked = labelled(reading, check)
    shares = _shares(asked, within_ns, {name: float(values[name]) for name in _NAMES})
    satisfied = shares[-1]
    shown = Shown(
        quantity="golden questions answered rightly", unit="count", value=float(len(satisfied.of) - len(satisfied.wrong))
    )
    if (why := _unseen(reading, check, asked)) is not None:
        return judgement(check, Status.INCONCLUSIVE, f"quality: {why}", test=satisfied.test, shown=shown)
    failed = next((share for share in shares if share.decision is Decision.FAIL), None)
    if failed is not None:
        evidence = tuple(evidence_of(each.record) for each in failed.wrong[:MOST_EVIDENCE])
        reason = f"quality: {failed}, {failed.least:.0%} is asked: {_wrong(failed.wrong[0])}"
        return judgement(check, Status.FAIL, reason, test=failed.test, shown=shown, evidence=evidence)
    if (why := unmeasured(reading, check)) is not None:
        return judgement(check, Status.INCONCLUSIVE, f"quality: {why}", test=satisfied.test, shown=shown)
    if (wrong := wrongly_measured(reading, check, asked, least_accuracy=float(values["intents"]))) is not None:
        evidence = (evidence_of(wrong[1]),)
        return judgement(check, Status.FAIL, f"quality: {wrong[0]}", test=satisfied.test, shown=shown, evidence=evidence)
    undecided = next((share for share in shares if share.decision is Decision.UNDECIDED), None)
    if undecided is not None:
        reason = f"quality: {undecided} is too near to the {undecided.least:.0%} that is asked, or of too few questions"
        if undecided.wrong:
            reason += f": {_wrong(undecided.wrong[0])}"
        return judgement(check, Status.INCONCLUSIVE, reason, test=undecided.test, shown=shown)
    escalated = sum(each.intent == "escalation" for each in asked)
    reason = f"{', '.join(map(str, shares))}; {escalated} of {len(asked)} escalated; the service measures the same"
    return judgement(check, Status.PASS, reason, test=satisfied.test, shown=shown)


_NAMES = ("intents", "relevance", "unescalated", "satisfaction")


def _shares(asked: Sequence[Labelled], within_ns: int, least: dict[str, float]) -> tuple[_Share, ...]:
    told = [each for each in asked if each.intent is not None]
    about = [each for each in asked if each.golden.document is not None and each.is_answered]
    others = [each for each in told if each.golden.intent != "escalation"]
    return (
        _Share(
            what="intents right",
            least=least["intents"],
            of=told,
            wrong=[each for each in told if each.intent != each.golden.intent],
        ),
        _Share(
            what="documents right",
            least=least["relevance"],
            of=about,
            wrong=[each for each in about if each.first != each.golden.document],
        ),
        _Share(
            what="not escalated without a wish",
            least=least["unescalated"],
            of=others,
            wrong=[each for each in others if each.intent == "escalation"],
        ),
        _Share(
            what="satisfied",
            least=least["satisfaction"],
            of=asked,
            wrong=[each for each in asked if not each.satisfies(within_ns)],
        ),
    )


def _unseen(reading: Reading, check: PlannedCheck, asked: Sequence[Labelled]) -> str | None:
    if (why := undone(reading, check, *(f"put-{name}" for name in DOCUMENTS), "recorded-before", "recorded")) is not None:
        return why
    if len(asked) < len(GOLDEN):
        return f"only {len(asked)} of {len(GOLDEN)} golden questions were asked"
    answered = [each for each in asked if each.is_answered]
    if not answered:
        return f"no golden question was answered: {told_of(asked[0].record)}"
    if silent := [each for each in answered if each.intent is None]:
        return f"no log of the target says what {len(silent)} of {len(answered)} answered questions were taken for"
    return None


def _wrong(each: Labelled) -> str:
    golden, said = each.golden, f"{each.golden.text!r}"
    if not each.is_answered:
        return f"{said}: {told_of(each.record)}"
    if each.intent != golden.intent:
        return f"{said} was taken for {each.intent}, and is {golden.intent}"
    if golden.document is not None and each.first != golden.document:
        return f"{said} came with {each.first or 'no document'}, and is about {golden.document}"
    return f"{said} was not answered in time, or not by its workflow"
