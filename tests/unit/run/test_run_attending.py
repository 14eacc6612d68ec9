"""In a drill no fault begins that nobody said go for, and one word ends it."""

from dataclasses import replace

import pytest
from test_run_timeline import PLAN

from harness.errors import AbortedError, ConfigurationError
from harness.model.fault import Fault
from harness.model.journal import Event
from harness.model.plan import Phase, PhaseKind
from harness.run.attending import ASK_AHEAD_NS, Attended, Question, Said, Word, questions_of
from harness.run.steady import SteadyState

S = 1_000_000_000


def fault(name: str, begins_s: int) -> Fault:
    return Fault(id=name, at="links.redis", kind="latency", phase="p", apply_ns=begins_s * S, clear_ns=(begins_s + 5) * S)


def drill(*faults: Fault):
    return replace(PLAN, phases=(Phase(name="p", kind=PhaseKind.STEADY, start_ns=0, end_ns=200 * S),), faults=faults)


class People:
    def __init__(self, by: str = "key") -> None:
        self.by = by
        self.asked: list[Question | None] = []
        self.said: list[Word] = []

    def ask(self, question: Question | None) -> None:
        self.asked.append(question)

    def words(self) -> list[Word]:
        said, self.said = self.said, []
        return said

    def stirred(self) -> bool:
        return False


def attended(plan, people: People):
    entries: list[tuple] = []

    def look(from_ns: int, until_ns: int) -> SteadyState:
        return SteadyState(from_ns=from_ns, until_ns=until_ns, ended=100, bad=2, problems=())

    return Attended(plan, people, lambda event, subject, **data: entries.append((event, subject, data)), look), entries


def test_each_fault_is_asked_for_ahead_and_those_close_together_at_once() -> None:
    questions = questions_of(drill(fault("b", 65), fault("a", 60), fault("c", 90)))
    assert [(q.name, q.ask_ns // S, q.until_ns // S) for q in questions] == [("a, b", 40, 60), ("c", 70, 90)]


@pytest.mark.parametrize("begins_s", [0, 9])
def test_a_fault_that_leaves_no_time_to_look_first_is_refused(begins_s: int) -> None:
    with pytest.raises(ConfigurationError, match="steady state first"):
        questions_of(drill(fault("a", begins_s)))


def test_a_scenario_without_a_fault_is_no_drill() -> None:
    with pytest.raises(ConfigurationError, match="no fault that could be drilled"):
        questions_of(drill())


def test_go_lets_exactly_the_faults_that_were_asked_for() -> None:
    people = People()
    drilled, entries = attended(drill(fault("a", 60), fault("c", 90)), people)
    drilled.attend(39 * S)
    assert people.asked == []
    people.said = [Word(Said.GO)]  # before anything was asked: it answers nothing
    drilled.attend(39 * S)
    drilled.attend(40 * S)
    assert people.asked[0] is not None
    assert people.asked[0].what == "latency at links.redis"
    people.said = [Word(Said.NOTE, "calm"), Word(Said.GO)]
    drilled.attend(41 * S)
    drilled.must_go(fault("a", 60))
    assert [(event, subject) for event, subject, _ in entries] == [
        (Event.DRILL_ASKED, "a"), (Event.NOTE, "key"), (Event.DRILL_ANSWERED, "a"),
    ]  # fmt: skip
    assert people.asked[-1] is None
    with pytest.raises(AbortedError, match="nobody said go"):
        drilled.must_go(fault("c", 90))
    assert entries[-1] == (Event.DRILL_ANSWERED, "c", {"go": False, "by": "silence"})


def test_stop_ends_it_whether_something_is_asked_or_not() -> None:
    for moment_ns, told in ((1 * S, "stopped by hand"), (45 * S, "no-go for latency at links.redis")):
        people = People()
        drilled, entries = attended(drill(fault("a", 60)), people)
        drilled.attend(moment_ns)
        people.said = [Word(Said.STOP)]
        with pytest.raises(AbortedError, match=told):
            drilled.attend(moment_ns)
        assert entries[-1][2]["go"] is False


def test_with_yes_every_fault_is_a_go_with_what_was_seen() -> None:
    people = People(by="--yes")
    drilled, entries = attended(drill(fault("a", 60)), people)
    drilled.attend(60 * S - ASK_AHEAD_NS)
    drilled.must_go(fault("a", 60))
    assert entries[0][2]["seen"] == "2 of 100 requests were bad over 20 s"
    assert entries[1] == (Event.DRILL_ANSWERED, "a", {"go": True, "by": "--yes"})
