"""Stacked counts over time."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from harness.report.palette import TONES
from harness.report.plots.series import Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_stack(axes: "Axes", series: Series, tones: Mapping[str, str]) -> None:
    """Draw the rates named by `tones` on top of each other; one that never happened is left out, also of the legend."""
    floor = np.zeros(len(series.edges_s) - 1)
    for name, tone in tones.items():
        rate = series.rates[name]
        if not rate.any():
            continue
        axes.stairs(floor + rate, series.edges_s, baseline=floor, fill=True, color=TONES[tone].light, linewidth=0,
                    label=name.replace("_", " "), zorder=2)  # fmt: skip
        floor = floor + rate
    axes.set_ylim(bottom=0, top=max(float(floor.max()) * 1.05, 1.0))
