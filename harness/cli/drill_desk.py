"""What a drill shows beside the run's own figures, and how people at the terminal answer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.cli.live_figures import LiveFigures
from harness.model.outcome import BAD_RESULTS
from harness.model.plan import Plan
from harness.model.units import format_duration
from harness.report import visible
from harness.report.numbers import count
from harness.run.attending import Question, Word

if TYPE_CHECKING:
    from harness.cli.drill_keys import Keys

Row = tuple[str, str, str]
"""Name, text, and a style of the terminal."""


class Unasked:
    """An attendant for `--yes`: every fault is a go, and nobody is at the keys."""

    by = "--yes"

    def ask(self, question: Question | None) -> None:
        """Ask nobody."""

    def words(self) -> Sequence[Word]:
        """Say nothing."""
        return ()

    def stirred(self) -> bool:
        """Nothing changes that the view does not see itself."""
        return False


class Desk:
    """An attendant at a terminal. keys: those of the terminal."""

    by = "key"

    def __init__(self, keys: "Keys") -> None:
        self._keys = keys
        self.question: Question | None = None

    def ask(self, question: Question | None) -> None:
        """Show a question under the figures until it is answered."""
        self.question = question
        self._keys.pressed.set()

    def words(self) -> Sequence[Word]:
        """Return what was typed since the last call."""
        return self._keys.words()

    @property
    def note(self) -> str | None:
        """The note that is being written."""
        return self._keys.typing.note

    def stirred(self) -> bool:
        """Return whether a key was pressed or a question came since the last call: what is shown is then old."""
        stirred = self._keys.pressed.is_set()
        self._keys.pressed.clear()
        return stirred


def desk_rows(desk: Desk | None, figures: LiveFigures, now_ns: int | None) -> list[Row]:
    """Return what a drill shows: how many were bad, hypothesis, what ends it, the question, and the keys."""
    plan = figures.plan
    ended = sum(figures.results.values())
    bad = sum(number for result, number in figures.results.items() if result in BAD_RESULTS)
    so_far = f"{count(bad)} of {count(ended)} requests were bad so far" if ended else "nothing ended yet"
    rows = [("steady state", so_far, ""), ("hypothesis", visible(plan.scenario.hypothesis or "none is written"), "")]
    rows.append(("ends it", "; ".join([*abort_lines(plan), "x"] if desk else abort_lines(plan)), ""))
    if desk is None or now_ns is None:
        return rows
    if (question := desk.question) is not None:
        left = format_duration(max(0, (question.until_ns - now_ns) // 10**9 * 10**9))
        rows.append(("GO?", f"{visible(question.what)} in {left}: g go, x stop and heal; no answer is a no-go", "bold red"))
        rows.append(("", visible(question.seen), ""))
    keys = "x stop and heal   t write a note" if desk.note is None else "Enter keeps the note, Esc throws it away"
    if desk.note is not None:
        rows.append(("note", f"{visible(desk.note)}▏", "bold"))
    rows.append(("keys", keys, "dim"))
    return rows


def abort_lines(plan: Plan) -> list[str]:
    """Return the conditions that end a drill by themselves; what is missing is said."""
    lines = [f"more than {each.error_ratio:.0%} bad over {format_duration(each.for_ns)}" for each in plan.abort_when]
    return lines or ["no abort condition is written (`abort_when`)"]
