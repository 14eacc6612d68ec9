"""Did the long document travel with its own tenant's question, and with nobody else's? By the prompt tokens that were billed."""

from harness.checks.evidence import MOST_EVIDENCE, answered, evidence_of, judgement, records_of, undone
from harness.checks.expectations import is_good
from harness.checks.provider_calls import calls_by_request
from harness.checks.retrieval.planning import ASKED, DECOYS, DOCUMENT, QUESTION
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status, Test
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord
from harness.model.simulated import count_tokens

DEGRADED = "x-gateway-degraded"
WITH_IT = count_tokens(QUESTION) + round(0.8 * count_tokens(DOCUMENT))
"""A prompt of so many tokens holds the document, one of fewer does not: the short ones together are a third of it."""


def judge_retrieval(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether questions came with the right document. Raises RunDirectoryError."""
    records = records_of(reading, check)
    asked = {
        name: next((r for r in answered(records.get(name, [])) if is_good(r)), None)
        for name in (f"{who}-{n}" for who in ("own", "foreign") for n in range(ASKED))
    }
    calls = calls_by_request(reading, [record.request_id for record in asked.values() if record is not None])
    problems: list[tuple[str, ProbeRecord]] = []
    unseen: list[str] = []
    for name, record in asked.items():
        mine = [] if record is None else calls.get(record.request_id, [])
        if record is None or not mine:
            unseen.append(f"{name} was not answered by a model, or its call is not among the provider's records")
            continue
        if record.headers.get(DEGRADED, "0") != "0":
            unseen.append(f"{name} was answered without looking ({DEGRADED}: {record.headers[DEGRADED]})")
            continue
        tokens = max(call.prompt_tokens for call in mine)
        if name.startswith("own") and tokens < WITH_IT:
            text = f"a question went to the model with {tokens} tokens, without the document that it is about ({WITH_IT} with it)"
            problems.append((text, record))
        if name.startswith("foreign") and tokens >= WITH_IT:
            text = f"another tenant's question went to the model with {tokens} tokens: with a document that is not its own"
            problems.append((text, record))
    test = Test(quantity="wrong_documents", op="<=", limit=0.0, value=float(len(problems)), n=len(calls), bad=len(problems))
    why = undone(reading, check, *(f"put-{n}" for n in range(len(DECOYS))), "put-document")
    if why is not None:
        return judgement(check, Status.INCONCLUSIVE, f"retrieval: {why}", test=test)
    if problems:
        text, _ = problems[0]
        rest = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        evidence = tuple(evidence_of(record) for _, record in problems[:MOST_EVIDENCE])
        return judgement(check, Status.FAIL, f"retrieval: {text}{rest}", test=test, evidence=evidence)
    if unseen:
        return judgement(check, Status.INCONCLUSIVE, f"retrieval: {unseen[0]}", test=test)
    reason = f"retrieval: {ASKED} questions came with the document that they are about, {ASKED} of another tenant came without it"
    return judgement(check, Status.PASS, reason, test=test)
