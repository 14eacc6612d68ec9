"""A live view on a terminal, drawn by rich. Text is never parsed as markup: every cell is a `Text`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from harness.cli.live_figures import LiveFigures
from harness.cli.live_text import counted, place
from harness.model.units import format_duration
from harness.report import visible
from harness.report.numbers import NOTHING, count, percent

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live


def open_screen(stream: TextIO) -> "Live":
    """Start a view that redraws only when told to, in no thread of its own, and leaves nothing behind when stopped."""
    from rich.console import Console
    from rich.live import Live

    console = Console(file=stream, force_terminal=True, highlight=False, markup=False, emoji=False)
    live = Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False)
    live.start()
    return live


def drawing(figures: LiveFigures, now_ns: int | None, below: Sequence[tuple[str, str, str]] = ()) -> "RenderableType":
    """Return the screen. now_ns: None while the target is starting. below: more rows: name, text, style."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    title = Text(visible(figures.plan.scenario.title, longest=100), style="bold")
    if now_ns is None:
        return Group(title, Text("starting the target"))
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column()
    rows.add_row(Text("phase"), Text(place(figures, now_ns)))
    rows.add_row(Text(""), ProgressBar(total=figures.plan.end_ns / 1e9, completed=max(now_ns, 0) / 1e9, width=50))
    for name, text, style in (*figure_rows(figures), *below):
        rows.add_row(Text(name), Text(text, style=style))
    return Group(title, rows)


def figure_rows(figures: LiveFigures) -> list[tuple[str, str, str]]:
    """Return the figures as rows of a name, a text and a style; the page shows the same."""
    late = figures.intended - figures.sent
    planned = f" of {count(figures.plan.planned_requests)}" if figures.plan.planned_requests else ""
    arrivals = f"{count(figures.intended)}{planned} due, {count(figures.sent)} sent, {count(figures.in_flight)} in flight"
    health = figures.health
    delays = ", ".join(
        f"{name} {format_duration(value_ns) if value_ns is not None and value_ns >= 10**6 else '< 1 ms'}"
        for name, value_ns in (("dispatch lag p99", health.lag_p99_ns), ("event loop lag p99", health.loop_lag_p99_ns))
        if value_ns is not None
    )
    phases = [(phase.name, figures.p95_ns(phase.name)) for phase in figures.plan.phases]
    p95s = ", ".join(f"{visible(name, longest=24)} {format_duration(p95_ns)}" for name, p95_ns in phases if p95_ns is not None)
    faults = "; ".join(visible(f"{figures.fault_name(i)}: {s}", longest=120) for i, s in figures.faults.items())
    bad = any(figures.results[name] for name in ("error", "timeout", "malformed", "shed", "unsent"))
    unsent = [("", f"{count(late)} due but not sent", "yellow")] if late > 0 else []
    return [
        ("arrivals", arrivals, ""),
        *unsent,
        ("outcomes", counted(figures.results) or NOTHING, "yellow" if bad else ""),
        ("p95 so far", p95s or NOTHING, ""),
        ("sources", counted(figures.sources) or NOTHING, ""),
        ("faults", faults or "none", "red" if faults else ""),
        ("instrument", f"{delays or NOTHING}, CPU {percent(health.cpu_ratio)}", ""),
    ]
