"""From a description's signals and refusals to the nouns that read answers."""

from harness.model.outcome import Refusal
from harness.model.signals import Signals, Where
from harness.target.description.document import TargetDocument


def signals_of(document: TargetDocument) -> Signals:
    """Return how the target's answers are read."""
    given = document.signals
    refusals = document.refusals
    by_guard = (
        (Refusal.BUDGET, refusals.budget),
        (Refusal.RATE, refusals.rate),
        (Refusal.GUARD, refusals.guard),
        (Refusal.AUTH, refusals.auth),
        (Refusal.UNAVAILABLE, refusals.unavailable),
    )
    message = document.message
    headers = [part.header for part in document.correlate if part.header is not None]
    told = {"fallback": given.fallback, "degraded": given.degraded, "cache": given.cache, "cost": given.cost}
    found = {name: predicate for name, signal in told.items() if signal is not None and (predicate := signal.predicate())}
    over_the_run = {name: predicate for name, predicate in found.items() if predicate.where in (Where.LOG, Where.METRIC)}
    of_an_answer = {name: predicate for name, predicate in found.items() if name not in over_the_run}
    return Signals(
        sources=tuple((part.is_, predicate) for part in given.source if (predicate := part.when.predicate()) is not None),
        refusals=tuple((refusal, rule.rule()) for refusal, rules in by_guard for rule in rules),
        shed=tuple(rule.rule() for rule in refusals.shed),
        fallback=of_an_answer.get("fallback"),
        degraded=of_an_answer.get("degraded"),
        cache=of_an_answer.get("cache"),
        cost=of_an_answer.get("cost"),
        over_the_run=over_the_run,
        answer=None if message is None else message.answer,
        prompt_tokens=None if message is None else message.prompt_tokens,
        completion_tokens=None if message is None else message.completion_tokens,
        correlation_header=headers[0] if headers else None,
    )
