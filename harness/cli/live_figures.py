"""What a live view knows of a run so far, added up from `live.jsonl` and the journal."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass

from harness.model.histogram import merge, quantile_ns
from harness.model.journal import Event, JournalEntry
from harness.model.live import LiveLine
from harness.model.plan import Phase, Plan

_LAG_WINDOW_LINES = 10

FAULT_STATES: Mapping[Event, str] = {
    Event.FAULT_REQUESTED: "being applied",
    Event.FAULT_CONFIRMED: "active",
    Event.FAULT_CLEARED: "cleared, being proved",
    Event.FAULT_FAILED: "FAILED",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The instrument over the last seconds: 99 % of dispatches and wake-ups were at most this late; CPU of the busiest."""

    lag_p99_ns: int | None
    loop_lag_p99_ns: int | None
    cpu_ratio: float | None


class LiveFigures:
    """Sums of what was taken in. Durations and moments in nanoseconds from the run's zero."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.intended = 0
        self.sent = 0
        self.ended = 0
        self.results: Counter[str] = Counter()
        self.sources: Counter[str] = Counter()
        self.faults: dict[str, str] = {}
        self._latency: dict[str, Counter[int]] = {}
        self._last: dict[int, LiveLine] = {}
        self._recent: deque[LiveLine] = deque(maxlen=_LAG_WINDOW_LINES * max(plan.load.workers, 1))

    def take_line(self, line: LiveLine) -> None:
        """Add one second of one worker."""
        self.intended += line.intended
        self.sent += line.sent
        self.ended += line.ended
        self.results.update(line.results)
        self.sources.update(line.sources)
        self._latency[line.phase] = merge((self._latency.get(line.phase, {}), line.latency))
        self._last[line.worker] = line
        self._recent.append(line)

    def take_entry(self, entry: JournalEntry) -> None:
        """Note what the journal says of a fault."""
        if entry.subject is None:
            return
        if entry.event in FAULT_STATES:
            self.faults[entry.subject] = FAULT_STATES[entry.event]
        elif entry.event is Event.FAULT_PROVED_CLEAR:
            self.faults.pop(entry.subject, None)

    @property
    def in_flight(self) -> int:
        """Requests under way when the workers last spoke."""
        return sum(line.in_flight for line in self._last.values())

    @property
    def health(self) -> Health:
        """The instrument's own delays."""
        return Health(
            lag_p99_ns=quantile_ns(merge(line.dispatch_lag for line in self._recent), 990),
            loop_lag_p99_ns=quantile_ns(merge(line.loop_lag for line in self._recent), 990),
            cpu_ratio=max((line.cpu_ratio for line in self._last.values()), default=None),
        )

    def p95_ns(self, phase: str) -> int | None:
        """Return the p95 of what ended in a phase so far, to 1/64; None before anything ended."""
        return quantile_ns(self._latency.get(phase, {}), 950)

    def phase_at(self, t_ns: int) -> Phase | None:
        """Return the phase of a moment; None before the first and after the last."""
        return next((phase for phase in self.plan.phases if phase.start_ns <= t_ns < phase.end_ns), None)

    def fault_name(self, fault_id: str) -> str:
        """Return `timeout at provider.primary` for a fault of the plan, else its id."""
        return next((f"{fault.kind} at {fault.at}" for fault in self.plan.faults if fault.id == fault_id), fault_id)
