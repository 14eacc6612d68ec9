"""The live view of a run: fed from the run directory alone, and never a reason for a run to fail."""

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TextIO

from harness.cli.live_figures import LiveFigures
from harness.cli.live_tail import Tail
from harness.cli.live_text import plain_line, told
from harness.errors import RunDirectoryError
from harness.model.journal import JournalEntry
from harness.model.live import LiveLine
from harness.model.plan import Clock, Plan
from harness.report import visible
from harness.rundir import RunDirectory

if TYPE_CHECKING:
    from rich.live import Live

    from harness.cli.live_page import LivePage

_PLAIN_EVERY_NS = 5_000_000_000

Below = Callable[[LiveFigures, int | None], Sequence[tuple[str, str, str]]]
"""What stands below the figures: from them and the moment of the run, rows of a name, a text and a style."""


class LiveView:
    """Shows a run while it is going, whenever `refresh` is called: about twice a second.

    below: more rows for the screen (name, text, style), asked for at each drawing.
    page: a page that shows the same.
    terminal: redraw a screen (rich; NO_COLOR is honoured); otherwise one plain line every 5 s. Journal events that
    matter become a line of their own in both. It has no thread. Whatever goes wrong in it silences it, for good.
    monotonic_ns: the clock of the control host, which `plan.clock` counts from.
    """

    def __init__(
        self,
        run: RunDirectory,
        plan: Plan,
        stream: TextIO,
        *,
        terminal: bool,
        below: Below | None = None,
        page: "LivePage | None" = None,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._run = run
        self._stream = stream
        self._terminal = terminal
        self._below = below
        self._page = page
        self._monotonic_ns = monotonic_ns
        self._clock: Clock | None = plan.clock
        self._figures = LiveFigures(plan)
        self._lines = Tail(run.live_path, LiveLine)
        self._journal = Tail(run.path / "journal.jsonl", JournalEntry)
        self._next_plain_ns = 0
        self._screen: Live | None = None
        self._silent = False

    def refresh(self) -> None:
        """Take in what is new and show it. Never raises."""
        if self._silent:
            return
        try:
            self._show()
        except Exception as error:  # noqa: BLE001 - a view must not end the run that it shows, whatever its stream does
            self._give_up(error)

    def close(self) -> None:
        """Show what came last and take the screen away. May be called twice; never raises."""
        self.refresh()
        self._silent = True
        self._take_screen_away()

    def _show(self) -> None:
        for line in self._lines.new():
            self._figures.take_line(line)
        entries = self._journal.new()
        for entry in entries:
            self._figures.take_entry(entry)
            text = told(entry, self._figures)
            if text is not None:
                self._say(text)
        now_ns = self._now_ns()
        if self._page is not None:
            self._page.take(self._figures, now_ns, entries)
        if self._terminal:
            self._draw(now_ns)
        elif now_ns is not None and now_ns >= max(self._next_plain_ns, 0):
            self._next_plain_ns = now_ns + _PLAIN_EVERY_NS
            self._say(plain_line(self._figures, now_ns))

    def _now_ns(self) -> int | None:
        """Return the moment on the run's clock; None while no zero is fixed."""
        if self._clock is None:
            with contextlib.suppress(RunDirectoryError):
                self._clock = self._run.read_plan().clock
        return None if self._clock is None else self._monotonic_ns() - self._clock.zero_monotonic_ns

    def _draw(self, now_ns: int | None) -> None:
        from harness.cli.live_screen import drawing, open_screen

        if self._screen is None:
            self._screen = open_screen(self._stream)
        below = self._below(self._figures, now_ns) if self._below is not None else ()
        self._screen.update(drawing(self._figures, now_ns, below), refresh=True)

    def _say(self, text: str) -> None:
        if self._screen is not None:
            from rich.text import Text

            self._screen.console.print(Text(text), soft_wrap=True)
            return
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        self._stream.flush()

    def _give_up(self, error: Exception) -> None:
        self._silent = True
        self._take_screen_away()
        with contextlib.suppress(Exception):
            self._stream.write(f"the live view ended ({visible(f'{type(error).__name__}: {error}')}); the run goes on\n")
            self._stream.flush()

    def _take_screen_away(self) -> None:
        screen, self._screen = self._screen, None
        if screen is not None:
            with contextlib.suppress(Exception):
                screen.stop()
