"""Where a request's time went, told from outside: by its own moments and those of the calls that it caused.

    intended --dispatch-- started --before-- [call --upstream-- ] --between-- [call] --after-- ended

Upstream is the union of the calls' times at the provider; what lies around them was spent in the service, and on the
way between the two: a call that a dark link swallowed never reached the provider and counts as time before or between.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.sample import Call

LATE_NS = 20_000_000
"""The bound on the dispatch lag of a valid run (`docs/explanation/verdicts.md`): a turn of the scheduler is no cause."""


class Where(enum.StrEnum):
    """Where most of a request's time went."""

    GENERATOR = "generator"
    SERVICE = "service"
    PROVIDER = "provider"
    NEVER_REACHED = "never reached the provider"
    NEVER_SENT = "never sent"
    NEVER_ENDED = "never ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """The parts of one request's time, in nanoseconds; they add up to the time from its intended start to its end.

    calls: how many calls the provider received for it within that time.
    """

    dispatch_ns: int
    before_ns: int
    upstream_ns: int
    between_ns: int
    after_ns: int
    calls: int

    @property
    def total_ns(self) -> int:
        """Intended start to the end."""
        return self.dispatch_ns + self.service_ns + self.upstream_ns

    @property
    def service_ns(self) -> int:
        """All that was neither the generator's nor the provider's."""
        return self.before_ns + self.between_ns + self.after_ns

    @property
    def where(self) -> Where:
        """The greatest of generator, service and provider; a delay of ours below LATE_NS explains nothing."""
        if self.dispatch_ns > max(self.service_ns, self.upstream_ns, LATE_NS):
            return Where.GENERATOR
        if self.calls == 0:
            return Where.NEVER_REACHED
        return Where.PROVIDER if self.upstream_ns >= self.service_ns else Where.SERVICE


def spans_of(intended_ns: int, started_ns: int | None, ended_ns: int | None, calls: Sequence[Call]) -> Spans | None:
    """Return the parts of a request's time; None where it was never sent or never ended."""
    if started_ns is None or ended_ns is None:
        return None
    inside = sorted(
        (max(call.received_ns, started_ns), min(ended_ns if call.ended_ns is None else call.ended_ns, ended_ns))
        for call in calls
        if call.received_ns < ended_ns and (call.ended_ns is None or call.ended_ns > started_ns)
    )
    upstream_ns = between_ns = 0
    reached_ns = inside[0][0] if inside else ended_ns
    at_ns = reached_ns
    for begin_ns, end_ns in inside:
        between_ns += max(begin_ns - at_ns, 0)
        upstream_ns += max(end_ns - max(begin_ns, at_ns), 0)
        at_ns = max(at_ns, end_ns)
    return Spans(
        dispatch_ns=started_ns - intended_ns,
        before_ns=reached_ns - started_ns,
        upstream_ns=upstream_ns,
        between_ns=between_ns,
        after_ns=ended_ns - at_ns,
        calls=len(inside),
    )
