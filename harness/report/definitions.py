"""What the words of a report mean, for a reader who did not write the scenario."""

from textwrap import dedent

_TEXT = """
    Intended start: The moment that the arrival schedule, fixed in advance from the seed, has for a request. Latency counts
    from here, as a user would; a generator or a service that falls behind cannot hide it.

    Actual start: The moment the request really left the generator. The difference is the dispatch lag.

    p95 latency: Nearest rank: the time within which 95 of 100 judged requests were fully answered, from their intended
    start. A request that failed counts as endlessly slow. A stream ends with its terminator.

    How a percentile is judged: p95 < 5 s is judged as "at most 5 % of the judged requests were slower than 5 s or not
    answered". The p95 itself is shown for people and never judged.

    Error rate: Of the judged requests, the share that ended in an error, a timeout, a malformed answer, shed, not sent at
    all, or refused where no refusal was expected.

    Fallback share: Answers of the second model, a stale cache or a canned text, of all answers; fresh cache hits and
    answers that need no model are in neither.

    Phase and exposed: A request belongs to the phase of its intended start. It is exposed to a fault when it was under way
    at any time between the moment the fault was requested and the moment it was proved clear. Phases without faults judge
    the unexposed requests, fault phases the exposed ones; the others are counted as straddling. Warm-up is never judged.

    Bounds: One-sided Clopper-Pearson bounds at the confidence told. An objective passes when both bounds are within the
    limit, fails when both are outside, and is inconclusive between: more requests would decide.

    Recovered: From the moment the fault was proved clear to the start of the first of three good windows in a row; a window
    is the longer of one second and twenty requests.

    Goodput: Requests a second that met every latency bound and were well-formed.

    A fault's steps: Requested: asked of the backend. Confirmed: the backend told that it stands. Cleared: told that it is
    gone. Proved clear: looked for and not found. Acted: how often it touched something, by records that are not the
    fault's own. A fault that was to act and never did makes the run invalid.

    Metered: What the provider recorded itself, in contrast to claimed: what the target said of itself.
"""


def definitions() -> list[tuple[str, str]]:
    """Return each term with its meaning, in reading order."""
    paragraphs = dedent(_TEXT).strip().split("\n\n")
    return [(term, " ".join(meaning.split())) for term, _, meaning in (text.partition(": ") for text in paragraphs)]
