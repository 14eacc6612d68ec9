"""From a description's signals and refusals to the nouns that read answers."""

from harness.model.outcome import Refusal
from harness.model.signals import Predicate, Signals
from harness.target.description.document import TargetDocument
from harness.target.description.predicates import SignalDocument


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
    return Signals(
        sources=tuple((part.is_, predicate) for part in given.source if (predicate := part.when.predicate()) is not None),
        refusals=tuple((refusal, rule.rule()) for refusal, rules in by_guard for rule in rules),
        shed=tuple(rule.rule() for rule in refusals.shed),
        fallback=_predicate(given.fallback),
        degraded=_predicate(given.degraded),
        cache=_predicate(given.cache),
        cost=_predicate(given.cost),
        answer=None if message is None else message.answer,
        prompt_tokens=None if message is None else message.prompt_tokens,
        completion_tokens=None if message is None else message.completion_tokens,
        correlation_header=headers[0] if headers else None,
    )


def _predicate(signal: SignalDocument | None) -> Predicate | None:
    return None if signal is None else signal.predicate()
