"""Which alerts fire at the end of the phase, by the rules of the service and what it told of itself in this run?"""

from harness.checks.alerts.planning import PLANNER, named
from harness.checks.alerts.promtool import CannotTellError, alerts_in, firing
from harness.checks.alerts.series import series_of
from harness.checks.evidence import files_told, judgement, undone
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status, Test
from harness.model.plan import PlannedCheck

EVERY_NS = 5_000_000_000
"""What lies between two scrapes, and becomes a minute."""
STRETCH = 60_000_000_000 // EVERY_NS
LEAST = 4
"""Fewer scrapes are no time in which an alert could have fired."""


def judge_alerts(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether the right alerts fire. Raises RunDirectoryError."""
    values = complete(PLANNER.settings, check.settings)
    must, may = named(values["fires"]), named(values["may"])
    if (why := undone(reading, check, "rules")) is not None:
        return judgement(check, Status.INCONCLUSIVE, f"alerts: {why}")
    rules = files_told(reading, check, "rules")
    alerts = alerts_in(rules)
    unknown = [name for name in (*must, *may) if name not in alerts]
    if unknown:
        there = ", ".join(alerts) or "none"
        return judgement(check, Status.INCONCLUSIVE, f"alerts: the service has no alert {unknown[0]}; there is {there}")
    end_ns = reading.plan.phase(check.phase).end_ns
    minutes, series = series_of(reading.run.scrapes(), "\n".join(rules.values()), every_ns=EVERY_NS, until_ns=end_ns)
    if minutes < LEAST or len(series) <= 2:
        reason = f"alerts: {minutes} scrapes until the end of phase {check.phase}; {LEAST} with metrics in them are needed"
        return judgement(check, Status.INCONCLUSIVE, reason)
    try:
        fired = firing(alerts, rules, series, minutes=minutes)
    except CannotTellError as error:
        return judgement(check, Status.INCONCLUSIVE, f"alerts: {error}")
    silent = [name for name in must if name not in fired]
    needless = [name for name in fired if name not in must and name not in may]
    bad = len(silent) + len(needless)
    test = Test(quantity="wrong_alerts", op="<=", limit=0.0, value=float(bad), n=len(alerts), bad=bad)
    over = f"over {minutes} scrapes laid out as minutes ({STRETCH} times as long as the run)"
    if silent:
        return judgement(check, Status.FAIL, f"alerts: {', '.join(silent)} did not fire, {over}", test=test)
    if needless:
        return judgement(check, Status.FAIL, f"alerts: {', '.join(needless)} fired, which nothing called for, {over}", test=test)
    said = f"{', '.join(fired)} fired and" if fired else "none fired:"
    reason = f"alerts: {said} {len(alerts) - len(fired)} of {len(alerts)} were silent, {over}"
    return judgement(check, Status.PASS, reason, test=test)
