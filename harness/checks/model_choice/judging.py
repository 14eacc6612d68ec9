"""Which model answered each question, with how many tokens? By the provider's records; the service's word is not asked."""

from collections.abc import Callable
from dataclasses import dataclass

from harness.checks.evidence import MOST_EVIDENCE, answered, evidence_of, judgement, records_of
from harness.checks.expectations import is_good
from harness.checks.model_choice.planning import CAPPED, CLIENTS_CAP, OWN_CAP, PLANNER
from harness.checks.provider_calls import CallSeen, calls_by_request
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status, Test
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord

Wrong = Callable[[list[CallSeen]], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Promise:
    """What must be so of the calls that one question caused. wrong: what is not, None where nothing."""

    name: str
    wrong: Wrong
    least_calls: int = 1


def judge_model_choice(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether questions went where they must. Raises RunDirectoryError."""
    values = complete(PLANNER.settings, check.settings)
    records = records_of(reading, check)
    promises = [
        _Promise(name="greeting", wrong=lambda calls: f"caused {len(calls)} calls of a model" if calls else None, least_calls=0),
        _Promise(name="simple", wrong=_model(str(values["small"]))),
        _Promise(name="hard", wrong=_model(str(values["large"]))),
        *(_Promise(name=f"capped-{n}", wrong=_cap(CLIENTS_CAP, "the client's own `max_tokens`")) for n in range(CAPPED)),
        *(_Promise(name=f"talked-{n}", wrong=_cap(OWN_CAP, "three times the user's own message")) for n in range(CAPPED)),
        _Promise(name="near-the-end", wrong=_model(str(values["cheap"]))),
    ]
    asked = [record for name in (*(p.name for p in promises), "spent") for record in answered(records.get(name, []))]
    calls = calls_by_request(reading, [record.request_id for record in asked])
    problems: list[tuple[str, ProbeRecord]] = []
    unseen: list[str] = []
    for promise in promises:
        record = next((r for r in answered(records.get(promise.name, []))), None)
        mine = [] if record is None else calls.get(record.request_id, [])
        if record is None or not (is_good(record) or promise.name == "near-the-end"):
            unseen.append(f"{promise.name} was not answered")
        elif promise.name == "near-the-end" and record.refusal == "budget":
            problems.append(("a user near the end of a budget was refused, though the cheap model would have done", record))
        elif len(mine) < promise.least_calls:
            unseen.append(f"no call of the provider can be joined with {promise.name}")
        elif (text := promise.wrong(mine)) is not None:
            problems.append((f"{promise.name} {text}", record))
    test = Test(quantity="wrong_choices", op="<=", limit=0.0, value=float(len(problems)), n=len(asked), bad=len(problems))
    if reading.calls is None:
        reason = "the provider's records are missing, so nothing says which model was asked"
        return judgement(check, Status.INCONCLUSIVE, f"model choice: {reason}", test=test)
    if problems:
        text, record = problems[0]
        rest = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        evidence = tuple(evidence_of(each) for _, each in problems[:MOST_EVIDENCE])
        return judgement(check, Status.FAIL, f"model choice: {text}{rest}", test=test, evidence=evidence)
    if not any(is_good(record) for record in records.get("spent", [])):
        unseen.append("nothing was spent of the budget, so its end was not put to the test")
    if unseen:
        return judgement(check, Status.INCONCLUSIVE, f"model choice: {unseen[0]}", test=test)
    reason = f"model choice: all {len(promises)} questions went to their model, and none was answered with more than its cap"
    return judgement(check, Status.PASS, reason, test=test)


def _model(name: str) -> Wrong:
    def wrong(calls: list[CallSeen]) -> str | None:
        other = next((call.model for call in calls if call.endpoint == "primary" and call.model != name), None)
        return None if other is None else f"went to {other}, not to {name}"

    return wrong


def _cap(at_most: int, what: str) -> Wrong:
    def wrong(calls: list[CallSeen]) -> str | None:
        most = max(call.completion_tokens for call in calls)
        return f"was answered with {most} tokens; {what} allows {at_most}" if most > at_most else None

    return wrong
