"""The gaps between tokens: as users saw them, beside what the provider really sent."""

from typing import TYPE_CHECKING

import numpy as np

from harness.report.material import Material
from harness.report.numbers import milliseconds
from harness.report.palette import TONES
from harness.report.plots.canvas import MUTED, Plot, Room, legend, plot
from harness.report.svg import Sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CURVES = (
    ("sent_s", "as the provider sent them", "green", ":"),
    ("seen_s", "as users saw them", "blue", "-"),
    ("longest_s", "the longest of each answer", "orange", "--"),
)


def draw_gaps(material: Material, sheet: Sheet) -> Plot | None:
    """Return the plot; None where no answer was streamed in two pieces or more."""
    table = material.gaps
    if table is None or table.num_rows == 0:
        return None
    table = table.sort_by("permille")
    permille = np.asarray(table["permille"].to_pylist(), dtype=float)
    curves = {name: np.asarray(table[name].to_pylist(), dtype=float) for name, *_ in _CURVES}
    if np.isnan(curves["seen_s"]).all():
        return None

    def draw(figure: "Figure", room: Room) -> None:
        axes = figure.subplots()
        for name, words, tone, style in _CURVES:
            if not np.isnan(curves[name]).all():
                milli = np.maximum(curves[name] * 1000, 0.1)  # a gap of nothing has no place on a logarithm
                axes.plot(milli, permille / 10, style, color=TONES[tone].light, label=words, linewidth=2)
        axes.axhline(95, color=MUTED, linewidth=0.9, linestyle=":")
        axes.annotate("95 %", (1, 95), xycoords=("axes fraction", "data"), ha="right", va="top", fontsize=8, color=MUTED)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.minorticks_off()
        axes.set_ylim(0, 101)
        axes.set_xlabel("milliseconds")
        axes.set_ylabel("% of answers with gaps as short")
        axes.grid(axis="x")
        legend(axes, room, columns=1 if room.narrow else 3)

    return plot("gaps", "Gaps between tokens", _reading(permille, curves), sheet, draw, height_in=3.2)


def _reading(permille: np.ndarray, curves: dict[str, np.ndarray]) -> str:
    def at(name: str, wanted: int) -> str | None:
        places = np.flatnonzero(permille == wanted)
        value = float(curves[name][places[0]]) if len(places) else float("nan")
        return None if np.isnan(value) else milliseconds(value * 1000)

    sent = at("sent_s", 950)
    beside = f"; the provider sent them within {sent}" if sent is not None else "; what the provider sent is not known"
    longest = at("longest_s", 950)
    return (
        f"Of each answer the p95 of its gaps: half of the answers kept within {at('seen_s', 500)}, 95 % within "
        f"{at('seen_s', 950)}{beside}." + ("" if longest is None else f" 95 % never paused longer than {longest}.")
    )
