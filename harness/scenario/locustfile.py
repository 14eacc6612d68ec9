"""What a locustfile of the user's cannot decide, told before anything starts.

Its requests are made by its own clients, so some moments of a request are not to be had, and nobody knows beforehand how
many requests of which kind there will be.
"""

from collections.abc import Sequence
from pathlib import Path

from harness.documents.findings import Findings
from harness.model.objective import Objective, Quantity
from harness.model.plan import LoadPlan
from harness.scenario.document import ScenarioDocument

ONLY_STREAMS = frozenset({Quantity.TTFT, Quantity.ITL, Quantity.TPOT})


def find_not_for_locustfile(
    document: ScenarioDocument, objectives: Sequence[Objective], load: LoadPlan, findings: Findings
) -> None:
    """Note what of a scenario a locustfile has nothing for: checks that send requests, and what it does not name."""
    for burst in {burst.check_id: burst for burst in load.bursts}.values():
        findings.add(
            ("checks",), f"{burst.check_id} sends requests of its own, which a target with a locustfile has no words for"
        )
    if load.workers != 1:
        findings.add(
            ("load",), f"a locustfile runs in one load worker, not in {load.workers}: its requests are numbered as they come"
        )
    by_line = {findings.line_of(("objectives", index)): index for index in range(len(document.objectives))}
    for objective in objectives:
        path = ("objectives", by_line.get(objective.line or 0, 0))
        if objective.models or objective.principals:
            what = "which model or which user a request of a locustfile is for, nobody can tell"
            findings.add(path, f"{objective.written}: {what}; leave `model` and `principal` out")


def undecided(objective: Objective) -> str | None:
    """Return when an objective can be decided on a locustfile's requests; None where on all of them."""
    if objective.quantity in ONLY_STREAMS:
        return "decided only on answers that a task reads as a stream of an HttpUser (stream=True, iter_lines or iter_content)"
    return None


def locustfile_label(load: LoadPlan, objectives: Sequence[Objective]) -> dict[str, str]:
    """Return the label that tells readers of a verdict whose clocks its times are."""
    if load.locustfile is None:
        return {}
    name = Path(load.locustfile.path).name
    text = f"{name}: times begin when a task asks, the first of each arrival when it was intended; connecting is part of them"
    unsure = [objective.id for objective in objectives if undecided(objective) is not None]
    return {"locustfile": f"{text}; only streamed answers decide {', '.join(unsure)}" if unsure else text}
