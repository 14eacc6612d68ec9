"""Is everything there that operators hold on to, each by itself?"""

import re
from collections.abc import Collection, Mapping, Sequence

from harness.checks.alerts.judging import EVERY_NS, LEAST
from harness.checks.alerts.planning import named
from harness.checks.alerts.promtool import CannotTellError, all_have_data
from harness.checks.alerts.series import series_of
from harness.checks.evidence import files_told, judgement, records_of, undone
from harness.checks.expectations import is_good
from harness.checks.exposition import samples_in
from harness.checks.metric_names.planning import PLANNER, exposed_in
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status, Test
from harness.model.plan import PlannedCheck
from harness.rundir.scrapes import Scrape

_RECORDED = re.compile(r"^\s*-\s*record:\s*(\S+)\s*$", re.MULTILINE)
_OF_A_HISTOGRAM = ("_bucket", "_count", "_sum")
_OF_PROMETHEUS = frozenset({"le", "quantile"})
_Seen = dict[str, dict[str, set[frozenset[str]]]]
"""Instance to metric to the sets of labels that it had."""


def judge_metric_names(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether every name is there. Raises RunDirectoryError."""
    values = complete(PLANNER.settings, check.settings)
    exposed, recorded = exposed_in(values["exposed"]), named(values["recorded"])
    if (why := undone(reading, check, "rules", "put-document")) is not None:
        return judgement(check, Status.INCONCLUSIVE, f"metric names: {why}")
    end_ns = reading.plan.phase(check.phase).end_ns
    scrapes = [each for each in reading.run.scrapes() if each.at_ns <= end_ns and each.problem is None]
    rules = files_told(reading, check, "rules")
    minutes, series = series_of(scrapes, "\n".join([*rules.values(), *exposed]), every_ns=EVERY_NS, until_ns=end_ns)
    if minutes < LEAST:
        reason = f"metric names: {minutes} scrapes until the end of phase {check.phase}; {LEAST} are needed"
        return judgement(check, Status.INCONCLUSIVE, reason)
    asked = records_of(reading, check)
    unasked = [name for name in ("rated", "escalated", "retrieved") if not any(map(is_good, asked.get(name, [])))]
    if unasked:
        reason = f"metric names: {unasked[0]} was not answered, so what counts it may well be empty"
        return judgement(check, Status.INCONCLUSIVE, reason)
    seen = _seen(exposed, scrapes)
    wrong = [problem for name, labels in exposed.items() if (problem := _problem(name, labels, seen)) is not None]
    known = {name for text in rules.values() for name in _RECORDED.findall(text)}
    wrong += [f"no rule records {name}" for name in recorded if name not in known]
    there = [name for name in recorded if name in known]
    try:
        wrong += [f"{name} has no number" for name in _bare(there, rules, series, minutes)]
    except CannotTellError as error:
        return judgement(check, Status.INCONCLUSIVE, f"metric names: {error}")
    n = len(exposed) + len(recorded)
    test = Test(quantity="names_missing", op="<=", limit=0.0, value=float(len(wrong)), n=n, bad=len(wrong))
    if wrong:
        return judgement(
            check, Status.FAIL, f"metric names: {len(wrong)} of {n} are not there: {'; '.join(wrong[:4])}", test=test
        )
    reason = (
        f"metric names: {len(exposed)} metrics have their labels on {len(seen)} instances, and "
        f"{len(recorded)} key figures have a number after {minutes} scrapes"
    )
    return judgement(check, Status.PASS, reason, test=test)


def _seen(exposed: Collection[str], scrapes: Sequence[Scrape]) -> _Seen:
    """Return with which labels each instance exposed each of these metrics, ever."""
    counts_for: dict[str, list[str]] = {}
    for name in exposed:
        for part in ("", *_OF_A_HISTOGRAM):
            counts_for.setdefault(name + part, []).append(name)
    seen: _Seen = {scrape.instance: {name: set() for name in exposed} for scrape in scrapes}
    for scrape in scrapes:
        for sample in samples_in(scrape.text):
            for name in counts_for.get(sample.name, ()):
                seen[scrape.instance][name].add(frozenset(sample.labels) - _OF_PROMETHEUS)
    return seen


def _problem(name: str, labels: frozenset[str], seen: _Seen) -> str | None:
    """Return what is wrong with one metric on any instance; None where nothing is."""
    for instance, of in seen.items():
        found = of[name]
        if not found:
            return f"instance {instance} has no {name}"
        if other := next((each for each in found if each != labels), None):
            return f"{name} of instance {instance} has the labels {_told(other)}, not {_told(labels)}"
        if found != {labels}:
            return f"{name} of instance {instance} has no labels, and must have {_told(labels)}"
    return None


def _told(labels: frozenset[str]) -> str:
    return ",".join(sorted(labels)) or "none"


def _bare(names: Sequence[str], rules: Mapping[str, str], series: Mapping[str, str], minutes: int) -> list[str]:
    """Return those without a number. Raises CannotTellError."""
    if not names or all_have_data(names, rules, series, minutes=minutes):
        return []
    return [name for name in names if not all_have_data([name], rules, series, minutes=minutes)]
