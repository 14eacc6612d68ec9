"""Whom does each alert reach, and do they answer for its severity?"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.checks.alert_routing.amtool import CannotAskError, reached, refused
from harness.checks.alert_routing.files import UnreadableError, alerts_of, receivers_of
from harness.checks.alert_routing.planning import PLANNER
from harness.checks.alerts.planning import named
from harness.checks.evidence import files_told, judgement, undone
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.model.fault import Scalar
from harness.model.judgement import Judgement, Status, Test
from harness.model.plan import PlannedCheck


def judge_alert_routing(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether nobody is left out and nobody is woken for nothing. Raises RunDirectoryError."""
    values = complete(PLANNER.settings, check.settings)
    if (why := undone(reading, check, "rules", "routing")) is not None:
        return judgement(check, Status.INCONCLUSIVE, f"alert routing: {why}")
    rules, routing = (files_told(reading, check, name) for name in ("rules", "routing"))
    try:
        alerts = alerts_of(rules)
        if not alerts or len(routing) != 1:
            what = "no alert" if not alerts else f"{len(routing)} Alertmanager configurations, where one is needed"
            return judgement(check, Status.INCONCLUSIVE, f"alert routing: the target tells of {what}")
        unknown = [name for name in named(values["escalated"]) if name not in alerts]
        if unknown:
            there = ", ".join(alerts)
            return judgement(
                check, Status.INCONCLUSIVE, f"alert routing: the service has no alert {unknown[0]}; there is {there}"
            )
        wrong, said = _asked(alerts, routing, values)
    except (UnreadableError, CannotAskError) as error:
        return judgement(check, Status.INCONCLUSIVE, f"alert routing: {error}")
    n = sum(map(len, alerts.values()))
    test = Test(quantity="alerts_astray", op="<=", limit=0.0, value=float(len(wrong)), n=n, bad=len(wrong))
    if wrong:
        rest = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        return judgement(check, Status.FAIL, f"alert routing: {wrong[0]}{rest}", test=test)
    return judgement(check, Status.PASS, f"alert routing: {said}", test=test)


def _asked(
    alerts: Mapping[str, Sequence[Mapping[str, str]]], routing: Mapping[str, str], values: Mapping[str, Scalar]
) -> tuple[list[str], str]:
    """Return what is wrong, a sentence each, and who gets what. Raises UnreadableError, CannotAskError."""
    ((file, text),) = routing.items()
    wrong: list[str] = []
    got: list[str] = []
    with tempfile.TemporaryDirectory(prefix="harness-routes-") as folder:
        path = Path(folder) / "alertmanager.yml"
        path.write_text(text, encoding="utf-8")
        if (why := refused(path)) is not None:
            return [f"Alertmanager does not start with {file}, so nobody is told of anything: {why}"], ""
        places = receivers_of(file, text)
        for name, several in alerts.items():
            for labels in several:
                receivers = reached(path, labels)
                got.append(f"{name} to {' and '.join(receivers)}")
                if (problem := _problem(name, labels.get("severity"), receivers, places, values)) is not None:
                    wrong.append(problem)
    return wrong, "; ".join(got)


def _problem(
    name: str, severity: str | None, receivers: Sequence[str], places: Mapping[str, bool], values: Mapping[str, Scalar]
) -> str | None:
    """Return what is wrong with whom one alert reaches; None where nothing is."""
    at_night, by_day = named(values["critical"]), named(values["warning"])
    whom = " and ".join(receivers) or "nobody"
    if severity not in ("critical", "warning"):
        said = "no severity" if severity is None else f"the severity {severity!r}"
        return f"{name} has {said}; it must be critical or warning for somebody to answer for it"
    wanted = at_night if severity == "critical" else by_day
    if not set(wanted) & set(receivers):
        return f"{name}, {severity}, reaches {whom}; it must reach {' or '.join(wanted)}"
    if severity == "warning" and (woken := [each for each in receivers if each in at_night]):
        return f"{name} is a warning and reaches {woken[0]}, which is for what is critical"
    if name in named(values["escalated"]) and str(values["escalation"]) not in receivers:
        return f"{name} must be escalated to {values['escalation']}, and reaches {whom} only"
    bare = [each for each in receivers if not places.get(each, False)]
    return f"{name} reaches {bare[0]}, which has nowhere to send it to" if bare else None
