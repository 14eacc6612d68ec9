"""A live view in plain lines, for a pipe or a log."""

from collections.abc import Callable, Mapping

from harness.cli.live_figures import LiveFigures
from harness.model.journal import Event, JournalEntry
from harness.model.units import format_duration
from harness.report import visible
from harness.report.numbers import count

_TOLD: Mapping[Event, str] = {
    Event.STACK_READY: "the target is up",
    Event.LOAD_STARTED: "load started",
    Event.LOAD_ENDED: "load ended",
    Event.FAULT_CONFIRMED: "fault {} confirmed",
    Event.FAULT_CLEARED: "fault {} cleared",
    Event.FAULT_PROVED_CLEAR: "fault {} proved clear",
    Event.FAULT_FAILED: "fault {} FAILED",
    Event.PROCESS_DIED: "process {} died",
    Event.TROUBLE: "trouble: {}",
    Event.ABORTED: "aborted: {}",
    Event.INTERRUPTED: "interrupted",
}


def _answered(subject: str, data: Mapping[str, object]) -> str:
    return f"{'GO' if data.get('go') else 'NO-GO'} for {subject} (by {data.get('by')})"


_OF_A_DRILL: Mapping[Event, Callable[[str, Mapping[str, object]], str]] = {
    Event.DRILL_ASKED: lambda subject, data: f"asked: go for {data.get('what', subject)}? seen: {data.get('seen')}",
    Event.DRILL_ANSWERED: _answered,
    Event.NOTE: lambda subject, data: f"note ({subject}): {data.get('text')}",
}


def told(entry: JournalEntry, figures: LiveFigures) -> str | None:
    """Return a journal entry as a line; None for one that a watcher need not see."""
    at = f"[{entry.t_ns / 1e9:6.1f} s]" if entry.t_ns is not None and entry.t_ns >= 0 else "[ before ]"
    subject = entry.subject or ""
    if entry.event is Event.PHASE_STARTED:
        phase = next((phase for phase in figures.plan.phases if phase.name == subject), None)
        detail = f" ({phase.kind.value}, {format_duration(phase.end_ns - phase.start_ns)})" if phase else ""
        return f"{at} phase {visible(subject, longest=60)} started{detail}"
    if entry.event in _OF_A_DRILL:
        return f"{at} {visible(_OF_A_DRILL[entry.event](subject, entry.data), longest=600)}"
    if entry.event not in _TOLD:
        return None
    text = _TOLD[entry.event].format(visible(figures.fault_name(subject), longest=200)).removesuffix(": ")
    notes = ", ".join(f"{key} {value}" for key, value in entry.data.items() if value is not None)
    grave = entry.event in (Event.FAULT_FAILED, Event.PROCESS_DIED, Event.TROUBLE, Event.ABORTED)
    return f"{at} {text} ({visible(notes, longest=300)})" if grave and notes else f"{at} {text}"


def plain_line(figures: LiveFigures, now_ns: int) -> str:
    """Return the state of the run in one line."""
    phase = figures.phase_at(now_ns)
    parts = [place(figures, now_ns)]
    planned = f" of {count(figures.plan.planned_requests)}" if figures.plan.planned_requests else ""
    parts.append(f"{count(figures.sent)} sent{planned}, {count(figures.in_flight)} in flight")
    late = figures.intended - figures.sent
    if late > 0:
        parts.append(f"{count(late)} due but not sent")
    parts.append(counted(figures.results) or "nothing ended yet")
    if phase is not None and (p95_ns := figures.p95_ns(phase.name)) is not None:
        parts.append(f"p95 so far {format_duration(p95_ns)}")
    if figures.faults:
        parts.append(
            "faults " + ", ".join(visible(f"{figures.fault_name(i)} {s}", longest=100) for i, s in figures.faults.items())
        )
    return f"[{now_ns / 1e9:6.1f} s] {'; '.join(parts)}"


def place(figures: LiveFigures, now_ns: int) -> str:
    """Return where on the timeline the run is: phase, how far in it, and what is left of the whole."""
    phase = figures.phase_at(now_ns)
    left_ns = figures.plan.end_ns - now_ns
    if now_ns < 0:
        return f"starts in {format_duration(-now_ns)}"
    if phase is None:
        return "finishing what is in flight"
    into, whole = (now_ns - phase.start_ns) // 1_000_000_000, format_duration(phase.end_ns - phase.start_ns)
    return f"{visible(phase.name, longest=40)} {into} of {whole}, {left_ns // 10**9} s left"


def counted(counts: Mapping[str, int]) -> str:
    """Return counts, the greatest first: `answered 680, timeout 3`."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{visible(name, longest=20).replace('_', ' ')} {count(number)}" for name, number in ordered if number)
