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
    from matplotlib.patches import StepPatch

    floor = np.zeros(len(series.edges_s) - 1)
    for name, tone in tones.items():
        rate = series.rates[name]
        if not rate.any():
            continue
        # Not `stairs`, which looks at every step for the limits; they are set below and by the axis.
        steps = StepPatch(
            floor + rate,
            series.edges_s,
            baseline=floor,  # type: ignore[arg-type]  # its stub knows only one number for all steps
            fill=True,
            color=TONES[tone].light,
            linewidth=0,
            label=name.replace("_", " "),
            zorder=2,
        )
        axes.add_artist(steps)
        floor = floor + rate
    axes.set_ylim(bottom=0, top=max(float(floor.max()) * 1.05, 1.0))
