"""Does the service measure its own quality as it was: are escalations, scores and retrievals counted that were seen to happen?"""

from collections.abc import Sequence

import numpy as np

from harness.checks.evidence import action_of, records_of, told_between
from harness.checks.expectations import is_good
from harness.checks.exposition import MetricSample, samples_in
from harness.checks.quality.labelled import Labelled
from harness.measure.reading import Reading
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord

INTENTS, SATISFIED, ACCURACY = "gateway_intents_total", "gateway_day_satisfied_ratio", "gateway_intent_accuracy_ratio"
RETRIEVED = "gateway_retrieval_score_count"
COUNTED_LATE_NS = 500_000_000
CLOSE_ENOUGH = 0.01
"""Of the satisfied share: another user may rate between the count in the database and the reading."""


def unmeasured(reading: Reading, check: PlannedCheck) -> str | None:
    """Return why nobody can say what the service measures; None where it can be said."""
    records = records_of(reading, check)
    first, last = (_by_instance(records.get(name, [])) for name in ("first", "last"))
    if not first or first.keys() != last.keys() or len(first) < len({r.instance for r in records.get("first", [])}):
        return "the metrics of an instance could not be read before and after"
    return None


def wrongly_measured(
    reading: Reading, check: PlannedCheck, asked: Sequence[Labelled], *, least_accuracy: float
) -> tuple[str, ProbeRecord] | None:
    """Return what the service measures otherwise than it was; None where all agrees. Not for what is `unmeasured`."""
    records = records_of(reading, check)
    firsts, lasts = (_by_instance(records.get(name, [])) for name in ("first", "last"))
    read = next(iter(lasts.values()))
    began_ns = max(record.ended_ns or 0 for record in firsts.values())
    until_ns = min(record.started_ns or 0 for record in lasts.values()) - COUNTED_LATE_NS
    sure = [each for each in asked if _between(each.record, began_ns, until_ns) and each.is_answered]
    before = [sample for record in firsts.values() for sample in samples_in(record.body)]
    after = [sample for record in lasts.values() for sample in samples_in(record.body)]
    escalated = _total(after, INTENTS, intent="escalation") - _total(before, INTENTS, intent="escalation")
    least = sum(each.intent == "escalation" for each in sure)
    most = least + (len(asked) - len(sure)) + _further_escalations(reading, check)
    if not least <= escalated <= most:
        return f"the service counts {escalated:.0f} escalations where {least} to {most} were seen", read
    if (counted := _total(after, INTENTS) - _total(before, INTENTS)) < len(sure):
        return f"the service counts {counted:.0f} questions where {len(sure)} were answered, so no rate of it is true", read
    found = sum(each.first is not None for each in sure)
    if (scored := _total(after, RETRIEVED) - _total(before, RETRIEVED)) < found:
        return f"the service scores {scored:.0f} retrievals where {found} found something", read
    came = told_between(reading, check, "recorded-before", "recorded", "day_scores") or 0
    if came < (given := sum(each.golden.score is not None for each in sure)):
        return f"{came} scores came into the database, {given} were given and thanked for", read
    recorded = action_of(reading, check, "recorded")
    assert recorded is not None  # else nothing came in between
    scores, good = (int(str(recorded.data.get(name, 0))) for name in ("day_scores", "day_good_scores"))
    for record in lasts.values():
        told = {sample.name: sample.value for sample in samples_in(record.body)}
        if not abs(told.get(SATISFIED, -1.0) - good / max(scores, 1)) <= CLOSE_ENOUGH:
            text = f"instance {record.instance} tells a satisfaction of {told.get(SATISFIED)}, of {scores} scores {good} are good"
            return text, record
        if not told.get(ACCURACY, 0.0) >= least_accuracy:
            return (
                f"instance {record.instance} tells an intent accuracy of {told.get(ACCURACY)}, {least_accuracy} is asked",
                record,
            )
    return None


def _by_instance(records: Sequence[ProbeRecord]) -> dict[str | None, ProbeRecord]:
    return {record.instance: record for record in records if is_good(record)}


def _between(record: ProbeRecord, began_ns: int, until_ns: int) -> bool:
    started, ended = record.started_ns, record.ended_ns
    return started is not None and ended is not None and started >= began_ns and ended <= until_ns


def _total(samples: Sequence[MetricSample], name: str, **labels: str) -> float:
    return sum(s.value for s in samples if s.name == name and all(s.labels.get(key) == value for key, value in labels.items()))


def _further_escalations(reading: Reading, check: PlannedCheck) -> int:
    """Return how many more there may be: of the load, and whatever other checks asked."""
    of_load = np.count_nonzero(reading.requests.user_class.is_in(["escalation"]))
    return int(of_load) + sum(record.check_id != check.id for record in reading.run.probes())
