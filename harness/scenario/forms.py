"""Every objective by name: what it is about, and how one is written. `harness list objectives` prints it."""

from collections.abc import Mapping

from harness.model.objective import Quantity

FORMS: Mapping[Quantity, tuple[str, str]] = {
    Quantity.LATENCY: ("percentile of the answer's end, from the intended start", "p95 < 5s"),
    Quantity.TTFT: ("percentile of the first token of streams", "p95 < 2s"),
    Quantity.ITL: ("percentile of the gaps between chunks (of each answer its own p95)", "p95 < 200ms"),
    Quantity.TPOT: ("percentile of the time for each token after the first", "p95 < 50ms"),
    Quantity.REFUSAL_LATENCY: ("percentile of the time to a refusal", "p95 < 1s"),
    Quantity.ERROR_SHARE: ("share of bad requests: error, timeout, malformed, shed, unsent, unexpected refusal", "< 5%"),
    Quantity.BREAKAGE: ("share that ended with neither an answer nor a typed refusal", "< 1%"),
    Quantity.SILENT_BREAKAGE: ("share of streams that just stopped: no terminator and no error event", "< 2%"),
    Quantity.AVAILABILITY: ("share of requests that were answered", "> 99%"),
    Quantity.ANSWERED_SHARE: ("share that was answered, where that is not wanted: of attacks, of leaks", "< 5%"),
    Quantity.GOODPUT: ("share that was answered within every latency bound of the scenario", "> 95%"),
    Quantity.FALLBACK_SHARE: ("share of answers that the primary did not give", "> 95%"),
    Quantity.DEGRADED_SHARE: ("share of answers that are stale or canned", "< 5%"),
    Quantity.REFUSAL_SHARE: ("share that was refused; `refusals` names the kinds", "< 1%"),
    Quantity.CACHE_HIT_RATE: ("share of answers from a fresh cache", "> 20%"),
    Quantity.FALSE_CLAIMS: ("share of answers whose claimed cost, fallback or cache the provider's records deny", "< 2%"),
    Quantity.JOINED_SHARE: ("share of a model's answers whose call the provider recorded under the request's id", "> 95%"),
    Quantity.LOGGED_SHARE: ("share of answers and refusals whose id stands in the target's logs", "> 99%"),
    Quantity.PAID_TWICE: ("share of requests for which the provider said more than one whole answer", "< 1%"),
    Quantity.STREAM_INTEGRITY: ("no answer that broke off at the provider reaches a client as whole", "never broken"),
    Quantity.ORDER: (
        "what the provider said, and turns of a conversation, arrive in the order they were sent in",
        "never changed",
    ),
    Quantity.LONGEST_WAIT: ("nobody is held longer, whatever the end", "6s"),
    Quantity.RECOVERY: ("time to good windows after a fault phase; needs `after`", "10s"),
    Quantity.DETECTION: ("time until the fault showed in an answer; needs `after`", "3s"),
    Quantity.TO_FALLBACK: ("time until the first answer of a fallback; needs `after`", "5s"),
    Quantity.TO_PRIMARY: ("time until the primary's first answer after the fault; needs `after`", "10s"),
    Quantity.SPEND: ("dollars by the provider's meter", "<= 1.2 x planned"),
    Quantity.COST_PER_QUERY: ("dollars an answer by the provider's meter", "<= $0.002"),
    Quantity.TOKENS: ("tokens by the provider's meter", "<= 200000"),
    Quantity.BURN_RATE: (
        "how fast the error budget burns, over a long window and a short one",
        "< 14.4 over 30s and 5s of 99.9%",
    ),
    Quantity.SERVER_METRIC: (
        "what the target's metrics say, against a limit or against what was counted outside",
        'increase(http_requests_total{code=~"4.."}) = refusals within 5%',
    ),
    Quantity.LOG_RULE: (
        "a pattern that no line of the target's logs may match, or with `some` one must; `logs` names which",
        "never sk-[0-9a-f]{16}",
    ),
    Quantity.ANSWER_RULE: ("a pattern that no kept answer may match", "never Traceback"),
}
"""What each is about, and an example of its short form."""


def listed() -> dict[str, str]:
    """Return name to one line, in the order in which people look for them."""
    return {quantity.value: f'{what}: "{example}"' for quantity, (what, example) in FORMS.items()}
