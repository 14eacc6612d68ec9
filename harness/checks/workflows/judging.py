"""Did each workflow answer as its own, and does what it promised to write down stand there?"""

from collections.abc import Callable
from dataclasses import replace

from harness.checks.evidence import Expectation, calls_of, evidence_of, judge_table, records_of, told_between
from harness.checks.expectations import is_good, is_status, value_at
from harness.checks.workflows.planning import RATED_IN_WORDS, SCORES, WISHES, document_of
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord

PROVIDER, RULE = "x-gateway-provider", "rule"
BY_RULE = ("greeting", *(f"wish-{n}" for n in range(len(WISHES))), "rated-in-words")
MOST_TOKENS_OF_AN_FAQ = 100


def judge_workflows(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether every workflow did its work. Raises RunDirectoryError."""
    expectations = (
        *(Expectation(name=name, says=f"{name} is answered by rule", holds=_by_rule) for name in BY_RULE),
        Expectation(name="faq", says=f"an FAQ gets a model's answer of at most {MOST_TOKENS_OF_AN_FAQ} tokens", holds=_short),
        Expectation(
            name="knowledge",
            says="a knowledge question gets a model's answer from the document that it is about",
            holds=_from(document_of(check)),
        ),
        *(Expectation(name=f"rated-{n}", says="a score is taken", holds=is_status(201)) for n in range(len(SCORES))),
    )
    told = judge_table(reading, check, expectations, what="workflows", rests_on=("put-document", "recorded-before", "recorded"))
    if told.status is not Status.PASS:
        return told
    records = {name: mine[-1] for name, mine in records_of(reading, check).items()}
    wrong = _mixed_up(records) or _asked_a_model(reading, records) or _not_recorded(reading, check, records)
    if wrong is None:
        recorded = f"{len(WISHES)} wishes for a person and {len(SCORES) + 1} scores stand recorded"
        return replace(told, reason=f"{told.reason}; {recorded}")
    text, record = wrong
    return replace(told, status=Status.FAIL, reason=f"workflows: {text}", evidence=(evidence_of(record),))


def _by_rule(record: ProbeRecord) -> bool:
    return is_good(record) and record.headers.get(PROVIDER) == RULE and bool(_said(record))


def _of_a_model(record: ProbeRecord) -> bool:
    return is_good(record) and record.headers.get(PROVIDER) in ("primary", "secondary") and bool(_said(record))


def _short(record: ProbeRecord) -> bool:
    tokens = value_at(record, "usage", "completion_tokens")
    return _of_a_model(record) and isinstance(tokens, int) and 0 < tokens <= MOST_TOKENS_OF_AN_FAQ


def _from(document: str) -> Callable[[ProbeRecord], bool]:
    return lambda record: _of_a_model(record) and value_at(record, "gateway", "sources", 0, "id") == document


def _said(record: ProbeRecord) -> object:
    return value_at(record, "choices", 0, "message", "content")


def _mixed_up(records: dict[str, ProbeRecord]) -> tuple[str, ProbeRecord] | None:
    """Return two workflows that gave the same answer, and so are one."""
    seen: dict[object, str] = {}
    for name in ("greeting", "wish-0", "rated-in-words"):
        said = _said(records[name])
        if said in seen:
            return f"{name} was answered in the words of {seen[said]}: {said!r}", records[name]
        seen[said] = name
    return None


def _asked_a_model(reading: Reading, records: dict[str, ProbeRecord]) -> tuple[str, ProbeRecord] | None:
    calls = calls_of(reading, [records[name].request_id for name in BY_RULE])
    first = next((records[name] for name in BY_RULE if records[name].request_id in calls), None)
    return None if first is None else (f"{first.name} was answered by rule, and a model was asked and paid all the same", first)


def _not_recorded(reading: Reading, check: PlannedCheck, records: dict[str, ProbeRecord]) -> tuple[str, ProbeRecord] | None:
    for name, wanted, what, of in (
        ("escalations", len(WISHES), "wishes for a person came into the database", "wish-0"),
        ("scores", len(SCORES) + 1, "scores came into the database", "rated-0"),
        ("score_sum", sum(SCORES) + RATED_IN_WORDS, "is the sum of the scores that came into the database", "rated-0"),
    ):
        if (came := told_between(reading, check, "recorded-before", "recorded", name)) != wanted:
            return f"{came} {what}, {wanted} were given and thanked for", records[of]
    return None
