"""Which panels would be empty on the screen of whoever looks at them at the end of the phase?"""

from harness.checks.alerts.judging import EVERY_NS, LEAST
from harness.checks.alerts.planning import named
from harness.checks.alerts.promtool import CannotTellError, all_have_data
from harness.checks.alerts.series import series_of
from harness.checks.dashboards.planning import PLANNER
from harness.checks.evidence import action_of, files_told, judgement, undone
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status, Test
from harness.model.plan import PlannedCheck

_TOLD_BESIDE = ("does", "took_ns", "exit_code", "status")


def judge_dashboards(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether every panel has data. Raises RunDirectoryError."""
    empty = named(complete(PLANNER.settings, check.settings)["empty"])
    if (why := undone(reading, check, "rules", "panels")) is not None:
        return judgement(check, Status.INCONCLUSIVE, f"dashboards: {why}")
    shown = action_of(reading, check, "panels")
    assert shown is not None
    rules = files_told(reading, check, "rules")
    panels = {name: text for name, text in shown.data.items() if name not in _TOLD_BESIDE and isinstance(text, str)}
    wanted = {name: text for name, text in panels.items() if name.partition(": ")[2] not in empty}
    if not wanted:
        return judgement(check, Status.INCONCLUSIVE, "dashboards: the target tells of no panel that must have data")
    end_ns = reading.plan.phase(check.phase).end_ns
    asked = "\n".join([*rules.values(), *panels.values()])
    minutes, series = series_of(reading.run.scrapes(), asked, every_ns=EVERY_NS, until_ns=end_ns)
    if minutes < LEAST or len(series) <= 2:
        reason = f"dashboards: {minutes} scrapes until the end of phase {check.phase}; {LEAST} with metrics in them are needed"
        return judgement(check, Status.INCONCLUSIVE, reason)
    try:
        bare = [] if all_have_data([*wanted.values()], rules, series, minutes=minutes) else _bare(wanted, rules, series, minutes)
    except CannotTellError as error:
        return judgement(check, Status.INCONCLUSIVE, f"dashboards: {error}")
    test = Test(quantity="empty_panels", op="<=", limit=0.0, value=float(len(bare)), n=len(wanted), bad=len(bare))
    if bare:
        reason = f"dashboards: {len(bare)} of {len(wanted)} panels have no data: {', '.join(bare[:4])}"
        return judgement(check, Status.FAIL, reason, test=test)
    return judgement(check, Status.PASS, f"dashboards: all {len(wanted)} panels have data after {minutes} scrapes", test=test)


def _bare(panels: dict[str, str], rules: dict[str, str], series: dict[str, str], minutes: int) -> list[str]:
    return [name for name, query in panels.items() if not all_have_data([query], rules, series, minutes=minutes)]
