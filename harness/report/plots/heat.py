"""Latency as a heat map: two bands that a percentile would melt into one are seen as two."""

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harness.report.material import Material
from harness.report.numbers import seconds
from harness.report.palette import TONES
from harness.report.plots.bands import draw_bands
from harness.report.plots.canvas import Plot, Room, legend, plot
from harness.report.svg import Sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEVELS = (1.0, 0.72, 0.48, 0.28, 0.14)
"""Opacity of one hue, from most to fewest answers: lightness alone tells them apart, for every eye and on grey paper."""
_TICKS_S = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


def draw_heat(material: Material, sheet: Sheet) -> Plot | None:
    """Return the plot; None where nothing was answered."""
    cells = material.heat
    if cells is None or cells.num_rows == 0 or material.plan is None:
        return None
    end_s = material.plan.end_ns / 1e9
    columns = {name: np.asarray(cells[name].to_pylist(), dtype=float) for name in cells.column_names}
    levels = _levels(columns["answers"])

    def draw(figure: "Figure", room: Room) -> None:
        axes = figure.subplots()
        low = float(columns["took_from_s"].min())
        for number, opacity in enumerate(_LEVELS):
            among = levels == number
            if among.any():
                _cells(axes, {name: values[among] for name, values in columns.items()}, opacity)
        axes.set_yscale("log")
        axes.set_xlim(0, end_s)
        axes.set_ylim(low, float(columns["took_to_s"].max()) * 1.9)
        ticks = [tick for tick in _TICKS_S if low <= tick <= columns["took_to_s"].max()]
        axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
        axes.set_ylabel("seconds, from the intended start")
        axes.set_xlabel("seconds from the start of the run")
        draw_bands((axes,), material, room)
        legend(axes, room, columns=5)

    return plot("heat", "Where latencies lie", _reading(cells), sheet, draw, height_in=3.6)


def _levels(answers: np.ndarray) -> np.ndarray:
    """Return for each cell its place in `_LEVELS`: halves of the greatest, so that few answers are still seen."""
    levels: np.ndarray = np.clip(np.floor(np.log2(answers.max() / answers) / 1.35), 0, len(_LEVELS) - 1).astype(int)
    return levels


def _cells(axes: "Axes", cells: dict[str, np.ndarray], opacity: float) -> None:
    """Draw the cells of one level as one path: a path a cell would make a page of megabytes."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    left, right, low, high = (cells[name] for name in ("from_s", "to_s", "took_from_s", "took_to_s"))
    corners = np.stack([left, low, right, low, right, high, left, high, left, low], axis=1).reshape(-1, 2)
    codes = np.tile([Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY], len(left))
    fewest, most = int(cells["answers"].min()), int(cells["answers"].max())
    told = f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}"
    patch = PathPatch(Path(corners, codes), facecolor=TONES["blue"].light, alpha=opacity, linewidth=0, label=told, zorder=2)
    axes.add_artist(patch)  # `add_patch` would look at every cell for the limits, which are set already


def _reading(cells: pa.Table) -> str:
    rows = cells.to_pylist()
    slowest = max(rows, key=lambda row: (row["took_to_s"], row["from_s"]))
    by_took: dict[tuple[float, float], int] = {}
    for row in rows:
        key = (row["took_from_s"], row["took_to_s"])
        by_took[key] = by_took.get(key, 0) + row["answers"]
    (low, high), most = max(by_took.items(), key=lambda item: item[1])
    return (
        "Answers by when they were asked and how long they took; the stronger the blue, the more. "
        f"The fullest band, {most:,} answers, took "
        f"{seconds(low)} to {seconds(high)}; the slowest, {seconds(slowest['took_from_s'])} to {seconds(slowest['took_to_s'])}, "
        f"were asked {slowest['from_s']:.0f} s after the start."
    )
