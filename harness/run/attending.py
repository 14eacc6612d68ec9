"""The people of a drill: what they are asked before a fault, what they say, and what becomes of it."""

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.errors import AbortedError, ConfigurationError
from harness.faults import Recorder
from harness.model.fault import Fault
from harness.model.journal import Event
from harness.model.plan import Plan
from harness.model.units import NS_PER_S
from harness.run.steady import SteadyState, steady_stretch

ASK_AHEAD_NS = 20 * NS_PER_S
"""How long before its moment a fault is asked for: the arrivals are fixed, so the timeline waits for nobody."""
LEAST_TO_ANSWER_NS = 10 * NS_PER_S
"""Faults that follow the first within this time are asked for together with it: nobody could answer in between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Go or no-go for faults that begin at `until_ns` or soon after. seen: the steady state when it was asked."""

    faults: tuple[Fault, ...]
    ask_ns: int
    until_ns: int
    seen: str = ""

    @property
    def name(self) -> str:
        """What the journal calls it."""
        return ", ".join(fault.id for fault in self.faults)

    @property
    def what(self) -> str:
        """What would happen, for people."""
        return ", ".join(f"{fault.kind} at {fault.at}" for fault in self.faults)


class Said(enum.Enum):
    """What somebody at the drill says."""

    GO = enum.auto()
    STOP = enum.auto()
    NOTE = enum.auto()


@dataclass(frozen=True, slots=True)
class Word:
    """One thing that was said. text: of a note."""

    said: Said
    text: str = ""


class Attendant(Protocol):
    """Whoever watches a drill."""

    @property
    def by(self) -> str:
        """How they answer, for the journal: `key`, or `--yes`."""

    def ask(self, question: Question | None) -> None:
        """Show a question; None: nothing is asked any more. Never waits."""

    def words(self) -> Sequence[Word]:
        """Return what was said since the last call. Never waits."""

    def stirred(self) -> bool:
        """Return whether what people see is old: a key was pressed, or a question came."""


def questions_of(plan: Plan) -> list[Question]:
    """Return what is asked in a drill, in order. Raises ConfigurationError for a plan that leaves no time to look first."""
    stretch = steady_stretch(plan)
    if stretch is None and not plan.faults:
        raise ConfigurationError(
            f"{plan.scenario.name} has no fault that could be drilled", advice="harness run measures without one"
        )
    if stretch is None or stretch[1] < LEAST_TO_ANSWER_NS:
        raise ConfigurationError(
            f"{plan.scenario.name}: its first fault begins less than {LEAST_TO_ANSWER_NS / NS_PER_S:.0f} s after the load; "
            "a drill looks at the steady state first",
            advice="give it a longer phase of kind `steady` before the fault: --set phases.NAME.for=30s",
        )
    groups: list[list[Fault]] = []
    for fault in sorted(plan.faults, key=lambda each: each.apply_ns):
        if groups and fault.apply_ns - groups[-1][0].apply_ns < LEAST_TO_ANSWER_NS:
            groups[-1].append(fault)
        else:
            groups.append([fault])
    before_ns = 0
    questions = []
    for group in groups:
        until_ns = group[0].apply_ns
        questions.append(Question(faults=tuple(group), ask_ns=max(before_ns, until_ns - ASK_AHEAD_NS), until_ns=until_ns))
        before_ns = until_ns
    return questions


class Attended:
    """Asks before each fault, keeps what is said, and ends the run at a no-go, at silence and at `stop`.

    look: the steady state from a moment to another, as the run sees it.
    """

    def __init__(
        self,
        plan: Plan,
        attendant: Attendant,
        record: Recorder,
        look: Callable[[int, int], SteadyState],
    ) -> None:
        self._attendant, self._record, self._look = attendant, record, look
        self._questions = questions_of(plan)
        self._asked: Question | None = None
        self._allowed: set[str] = set()

    def attend(self, now_ns: int) -> None:
        """Ask what is due, and hear what was said. Raises AbortedError where people end the drill."""
        if self._questions and self._questions[0].ask_ns <= now_ns:
            self._ask(self._questions.pop(0), now_ns)
        for word in self._attendant.words():
            self._hear(word)

    def must_go(self, fault: Fault) -> None:
        """Raise AbortedError unless somebody said go for this fault: silence is a no-go."""
        if fault.id not in self._allowed:
            self._record(Event.DRILL_ANSWERED, fault.id, go=False, by="silence")
            raise AbortedError(f"nobody said go for {fault.kind} at {fault.at}: it was not applied")

    def _ask(self, question: Question, now_ns: int) -> None:
        seen = self._look(max(0, now_ns - ASK_AHEAD_NS), now_ns)
        told = f"{seen.told}; {'; '.join(seen.problems)}" if seen.problems else seen.told
        self._record(Event.DRILL_ASKED, question.name, what=question.what, seen=told)
        if self._attendant.by == "--yes":
            self._answer(question)
            return
        self._asked = Question(faults=question.faults, ask_ns=question.ask_ns, until_ns=question.until_ns, seen=told)
        self._attendant.ask(self._asked)

    def _hear(self, word: Word) -> None:
        if word.said is Said.NOTE:
            self._record(Event.NOTE, self._attendant.by, text=word.text)
        elif word.said is Said.STOP:
            subject = self._asked.name if self._asked is not None else "stop"
            self._record(Event.DRILL_ANSWERED, subject, go=False, by=self._attendant.by)
            raise AbortedError(f"no-go for {self._asked.what}" if self._asked is not None else "the drill was stopped by hand")
        elif self._asked is not None:
            self._answer(self._asked)

    def _answer(self, question: Question) -> None:
        self._allowed |= {fault.id for fault in question.faults}
        self._record(Event.DRILL_ANSWERED, question.name, go=True, by=self._attendant.by)
        self._asked = None
        self._attendant.ask(None)
