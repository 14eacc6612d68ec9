"""The journal: what happened to the run, in order, and when."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field


class Event(enum.StrEnum):
    """What a journal entry tells of. `subject` is the fault, phase, check or process concerned."""

    RUN_STARTED = "run.started"
    STACK_READY = "stack.ready"
    LOAD_STARTED = "load.started"
    LOAD_ENDED = "load.ended"
    PHASE_STARTED = "phase.started"
    FAULT_REQUESTED = "fault.requested"
    FAULT_CONFIRMED = "fault.confirmed"
    FAULT_CLEARED = "fault.cleared"
    FAULT_PROVED_CLEAR = "fault.proved_clear"
    FAULT_ACTED = "fault.acted"
    FAULT_FAILED = "fault.failed"
    STEADY_CHECKED = "steady.checked"  # subject: `before` the first fault, or at the `end`
    DRILL_ASKED = "drill.asked"  # subject: what for; people are asked for go or no-go
    DRILL_ANSWERED = "drill.answered"  # subject: the same, or `stop`; data: go, by
    NOTE = "note"  # what somebody who watches wrote down; subject: by what or whom; data: text
    HAND = "hand"  # a command from a second terminal; subject: which one
    ACTION_STARTED = "action.started"  # of a check; subject: `CHECK/NAME`
    ACTION_DONE = "action.done"
    ACTION_FAILED = "action.failed"
    PROCESS_DIED = "process.died"
    TROUBLE = "trouble"
    ABORTED = "aborted"
    INTERRUPTED = "interrupted"
    STACK_STOPPED = "stack.stopped"
    RUN_ENDED = "run.ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One entry. t_ns: from the run's zero, negative before it, None while no zero is fixed; wall: UTC, ISO 8601."""

    event: Event
    wall: str
    t_ns: int | None
    subject: str | None = None
    data: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
