"""Two runs beside each other: each difference against what matters, and both distributions in one frame."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harness.report.numbers import seconds
from harness.report.palette import TONES
from harness.report.plots.canvas import MUTED, Plot, Room, label, legend, plot
from harness.report.svg import Sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from harness.report.comparison import ComparedRow

_LOOKS = {"worse": ("vermillion", "X"), "undecided": ("orange", "D"), "not worse": ("blue", "o"), "better": ("green", "s")}
"""Finding to tone and mark: each has a mark of its own beside its colour."""
_FURTHEST = 8.0
"""Times the effect that is still drawn to scale; what is beyond is an arrow at the edge."""


def draw_differences(rows: Sequence["ComparedRow"], sheet: Sheet) -> Plot | None:
    """Return the plot of all that can be told in multiples of its effect; None where nothing can."""
    drawn = [row for row in rows if row.times is not None]
    if not drawn:
        return None

    def draw(figure: "Figure", room: Room) -> None:
        axes = figure.subplots()
        axes.axvspan(-1, 1, color=TONES["grey"].light, alpha=0.16, linewidth=0, zorder=0.4, label="too small to matter")
        axes.axvline(0, color=MUTED, linewidth=1)
        told: set[str] = set()
        for place, row in enumerate(drawn):
            assert row.times is not None
            value, low, high = (min(max(each, -_FURTHEST), _FURTHEST) for each in row.times)
            tone, mark = _LOOKS[row.finding]
            name = "_nolegend_" if row.finding in told else row.finding
            told.add(row.finding)
            axes.plot([low, high], [place, place], color=TONES[tone].light, linewidth=2)
            axes.plot([value], [place], mark, color=TONES[tone].light, markersize=8, label=name)
            for bound in row.times[1:]:
                if abs(bound) > _FURTHEST:
                    at, arrow = (_FURTHEST + 0.35, ">") if bound > 0 else (-_FURTHEST - 0.35, "<")
                    axes.plot([at], [place], arrow, color=TONES[tone].light, markersize=6)
        axes.set_yticks(range(len(drawn)), [label(row.name) for row in drawn])
        axes.set_ylim(len(drawn) - 0.4, -0.6)
        axes.set_xlim(-_FURTHEST - 0.6, _FURTHEST + 0.6)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("times what matters; right of the band is worse" if not room.narrow else "times what matters")
        legend(axes, room, columns=5)

    return plot("differences", "What differs, and by how much", _reading(drawn), sheet, draw, height_in=1.2 + 0.34 * len(drawn))


def _reading(rows: Sequence["ComparedRow"]) -> str:
    worst = max(rows, key=lambda row: row.times[0] if row.times is not None else -math.inf)
    counts = {finding: sum(row.finding == finding for row in rows) for finding in _LOOKS}
    told = ", ".join(f"{count} {finding}" for finding, count in counts.items() if count)
    return (
        f"Of {len(rows)} figures {told}. Each line is the interval of new less base, in times the least difference that matters: "
        "one that ends left of the band's right edge is surely not worse. "
        f"Furthest to the right: {label(worst.name)} ({worst.told})."
    )


def draw_both(base: pa.Table | None, new: pa.Table | None, sheet: Sheet) -> Plot | None:
    """Return both distributions of latency from the intended start; None where one is missing or nothing was answered."""
    if base is None or new is None:
        return None
    curves = {}
    for name, unsorted in (("base", base), ("new", new)):
        table = unsorted.sort_by("permille")
        curves[name] = (
            np.asarray(table["permille"].to_pylist(), dtype=float),
            np.asarray(table["response_s"].to_pylist(), dtype=float),
        )
    if any(not len(values) or np.isnan(values).all() for _, values in curves.values()):
        return None

    def draw(figure: "Figure", room: Room) -> None:
        axes = figure.subplots()
        for (name, (permille, values)), (tone, style) in zip(curves.items(), (("blue", "-"), ("orange", "--")), strict=True):
            axes.plot(values, permille / 10, style, color=TONES[tone].light, label=name, linewidth=2)
        axes.axhline(95, color=MUTED, linewidth=0.9, linestyle=":")
        axes.annotate("95 %", (1, 95), xycoords=("axes fraction", "data"), ha="right", va="top", fontsize=8, color=MUTED)
        axes.set_xlim(left=0)
        axes.set_ylim(0, 101)
        axes.set_xlabel("seconds, from the intended start")
        axes.set_ylabel("% of answers as fast or faster")
        axes.grid(axis="x")
        legend(axes, room)

    def at(name: str, wanted: int) -> str:
        permille, values = curves[name]
        places = np.flatnonzero(permille == wanted)
        value = float(values[places[0]]) if len(places) else math.nan
        return "not known" if math.isnan(value) else seconds(value)

    reading = (
        f"Half of the answers came within {at('base', 500)} in the base and {at('new', 500)} in the new run, 95 % within "
        f"{at('base', 950)} and {at('new', 950)}, over all judged phases."
    )
    return plot("both", "Both distributions of latency", reading, sheet, draw, height_in=3.4)
