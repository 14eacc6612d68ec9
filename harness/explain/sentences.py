"""What many requests have in common, in sentences: counted, never guessed."""

from collections import Counter
from collections.abc import Sequence
from statistics import median

from harness.explain.requests import Explained
from harness.explain.spans import Where
from harness.model.units import format_duration

_COMMON = 0.9
"""A fault is named when at least this share of a group met it."""


def sum_up(requests: Sequence[Explained], noun: str) -> tuple[str, ...]:
    """Return one sentence for each place where their time went, the most frequent first."""
    groups = Counter(request.where for request in requests)
    return tuple(
        _sentence(where, [request for request in requests if request.where is where], len(requests), noun)
        for where, _ in groups.most_common()
    )


def _sentence(where: Where, group: Sequence[Explained], of: int, noun: str) -> str:
    head = f"{len(group):,} of {of:,} {noun}" if of > 1 else f"the {noun}"
    spans = [request.spans for request in group if request.spans is not None]
    under = _under_fault(group)
    match where:
        case Where.SERVICE:
            provider = format_duration(median(each.upstream_ns for each in spans))
            service = format_duration(median(each.service_ns for each in spans))
            parts = {
                "before the first call": sum(each.before_ns for each in spans),
                "between calls": sum(each.between_ns for each in spans),
                "after the last call": sum(each.after_ns for each in spans),
            }
            most = max(parts, key=lambda name: parts[name])
            text = f"{head} waited in your service ({service}, mostly {most}) while the provider had answered in {provider}"
        case Where.PROVIDER:
            text = f"{head} waited for the provider ({format_duration(median(each.upstream_ns for each in spans))})"
        case Where.NEVER_REACHED:
            took = format_duration(median(each.service_ns for each in spans))
            half = "half of them ended within" if len(group) > 1 else "it ended within"
            text = f"{head} never reached the provider: no call is on record; {half} {took}"
        case Where.GENERATOR:
            late = format_duration(median(each.dispatch_ns for each in spans))
            text = f"{head} left late by the generator's doing ({late}): the harness's fault, not the target's"
        case Where.NEVER_SENT:
            text = f"{head}: never sent"
        case Where.NEVER_ENDED:
            text = f"{head}: sent, and no end is on record"
    return f"{text}{under}{_endings(group) if of > 1 else ''}"


def _under_fault(group: Sequence[Explained]) -> str:
    met = Counter(f"{fault.kind} at {fault.at}" for request in group for fault in request.faults)
    common = [name for name, number in met.most_common() if number >= _COMMON * len(group)]
    return f", under {' and '.join(common)}" if common else ""


def _endings(group: Sequence[Explained]) -> str:
    ended = Counter(_ending(request) for request in group)
    return "; they ended as " + ", ".join(f"{number:,} {name}" for name, number in ended.most_common(3))


def _ending(request: Explained) -> str:
    name = request.error_kind or request.refusal or request.source or ""
    words = [request.result, f"({name})" if name and name != request.result else ""]
    if request.status_code is not None and request.status_code >= 400:
        words.append(f"with status {request.status_code}")
    return " ".join(word for word in words if word)
