"""The cumulative distribution of latency on both clocks."""

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harness.report.numbers import seconds
from harness.report.palette import TONES
from harness.report.plots.canvas import MUTED, Plot, Room, legend, plot
from harness.report.svg import Sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CLOCKS = (
    ("response_s", "intended start (what a user waits)", "blue", "-"),
    ("service_s", "actual start (what the service took)", "orange", "--"),
)


def draw_distribution(cdf: pa.Table, sheet: Sheet) -> Plot | None:
    """Return the plot; None where nothing was answered."""
    cdf = cdf.sort_by("permille")
    permille = np.asarray(cdf["permille"].to_pylist(), dtype=float)
    curves = {name: np.asarray(cdf[name].to_pylist(), dtype=float) for name, *_ in _CLOCKS}
    if not len(permille) or all(np.isnan(values).all() for values in curves.values()):
        return None

    def draw(figure: "Figure", room: Room) -> None:
        axes = figure.subplots()
        for name, words, tone, style in _CLOCKS:
            axes.plot(curves[name], permille / 10, style, color=TONES[tone].light, label=words)
        axes.axhline(95, color=MUTED, linewidth=0.9, linestyle=":")
        axes.annotate("95 %", (1, 95), xycoords=("axes fraction", "data"), ha="right", va="top", fontsize=8, color=MUTED)
        axes.set_xlim(left=0)
        axes.set_ylim(0, 101)
        axes.set_xlabel("seconds")
        axes.set_ylabel("% of answers as fast or faster")
        axes.grid(axis="x")
        legend(axes, room, columns=1 if room.narrow else 2)

    return plot("distribution", "How latency is distributed", _reading(permille, curves), sheet, draw, height_in=3.4)


def _reading(permille: np.ndarray, curves: dict[str, np.ndarray]) -> str:
    def at(name: str, wanted: int) -> str:
        places = np.flatnonzero(permille == wanted)
        return seconds(float(curves[name][places[0]])) if len(places) else "not known"

    return (
        f"Half of the answers came within {at('response_s', 500)} of their intended start, "
        f"95 % within {at('response_s', 950)}; "
        f"from the actual start it was {at('service_s', 500)} and {at('service_s', 950)}. "
        "The gap between the curves is the generator's own delay."
    )
