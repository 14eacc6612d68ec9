"""The behaviour checks of a scenario and what they add to the timeline."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness.documents.findings import Findings
from harness.documents.located import Path
from harness.errors import did_you_mean
from harness.model.check import CheckPlanner, CheckSteps
from harness.model.plan import Phase, PhaseKind, PlannedCheck
from harness.model.probe import Probe
from harness.model.target import Offer
from harness.scenario.document import CheckDocument, ScenarioDocument
from harness.scenario.faults import find_phase

OF_EVERY_RUN: Mapping[str, str] = {"guard bypass": "canaries"}
"""Checks that no scenario names: each is in every run on a target with that capability, and fails it; it proves no row."""


_ANY_MODEL = "auto"
"""What an offer asks for where the target chooses the model itself: it needs none to be named."""
_ASKS_IN_CHAT = "it asks in OpenAI's chat, and the target's description says `protocol: message`"


def compile_checks(
    document: ScenarioDocument,
    phases: Sequence[Phase],
    planners: Mapping[str, CheckPlanner],
    offer: Offer,
    findings: Findings,
) -> tuple[tuple[PlannedCheck, ...], tuple[CheckSteps, ...]]:
    """Return the checks and their steps, in the order written; notes those that cannot be."""
    checks: list[PlannedCheck] = []
    steps: list[CheckSteps] = []
    for index, part in enumerate(document.checks):
        path: Path = ("checks", index)
        planner = planners.get(part.check)
        if planner is None:
            hint = did_you_mean(part.check, planners)
            findings.add((*path, "check"), f"no check is called {part.check!r}; there are {', '.join(planners)}{hint}")
            continue
        phase = find_phase(part.during, phases, (*path, "during"), findings)
        if phase is None or not _settings_fit(part, planner, path, findings):
            continue
        check = PlannedCheck(
            id=part.id or part.check.replace(" ", "-"),
            name=part.check,
            phase=phase.name,
            settings=part.settings(),
            covers=tuple(part.covers),
        )
        if any(other.id == check.id for other in checks):
            findings.add(path, f"the check id {check.id!r} stands twice; give one an `id` of its own")
        try:
            step = planner.plan(check, phase)
        except ValueError as error:
            findings.add(path, str(error))
            continue
        if step.capped_principals and not offer.capped_principals:
            key = offer.missing.get("capped_principals", "budget")
            needed = f"{part.check!r} needs users with a budget of their own: the target's description has no `{key}`"
            findings.add(path, needed, not_offered=True)
        if step.needs_rate_limit and offer.rate_limit_per_minute is None:
            needed = f"{part.check!r} needs a limit to look at: the target's description has no `rate_limit_per_minute`"
            findings.add(path, needed, not_offered=True)
        step = replace(step, probes=tuple(_naming_a_model(probe, offer) for probe in step.probes))
        lacking = sorted(step.all_needs - offer.capabilities)
        if lacking:
            check, step = replace(check, not_offered=_not_offered(lacking, offer)), CheckSteps()
        elif offer.message is not None and any(probe.path is None for probe in step.probes):
            check, step = replace(check, not_offered=_ASKS_IN_CHAT), CheckSteps()
        checks.append(check)
        steps.append(step)
    for check, step in _of_every_run(checks, phases, planners, offer):
        checks.append(check)
        steps.append(step)
    return tuple(checks), tuple(steps)


def _of_every_run(
    named: Sequence[PlannedCheck], phases: Sequence[Phase], planners: Mapping[str, CheckPlanner], offer: Offer
) -> list[tuple[PlannedCheck, CheckSteps]]:
    if not phases:
        return []
    whole = Phase(name=phases[0].name, kind=PhaseKind.STEADY, start_ns=0, end_ns=phases[-1].end_ns)
    found = []
    for name, capability in OF_EVERY_RUN.items():
        if name in planners and capability in offer.capabilities and all(check.name != name for check in named):
            check = PlannedCheck(id=name.replace(" ", "-"), name=name, phase=whole.name, settings={})
            found.append((check, planners[name].plan(check, whole)))
    return found


def _naming_a_model(probe: Probe, offer: Offer) -> Probe:
    """Return a chat's probe with the target's own model in it, where the target needs one to be named."""
    if probe.path is not None or not probe.chat or probe.body is None or offer.model == _ANY_MODEL:
        return probe
    try:
        body = json.loads(probe.body)
    except ValueError:
        return probe  # broken on purpose
    if not isinstance(body, dict) or "messages" not in body or "model" in body:
        return probe
    return replace(probe, body=json.dumps({"model": offer.model, **body}))


def _not_offered(lacking: Sequence[str], offer: Offer) -> str:
    keys = ", ".join(f"`{offer.missing.get(name, name)}`" for name in lacking)
    if offer.reference.kind == "external":
        return f"the target's description has no {keys}"
    return f"the {offer.reference.kind} target does not offer {keys}"


def _settings_fit(part: CheckDocument, planner: CheckPlanner, path: Path, findings: Findings) -> bool:
    known = [setting.name for setting in planner.settings]
    unknown = [key for key in part.settings() if key not in known]
    for key in unknown:
        hint = did_you_mean(key, known)
        findings.add((*path, key), f"unknown setting {key!r} of {part.check!r}; allowed: {', '.join(known)}{hint}")
    return not unknown
