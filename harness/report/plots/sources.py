"""Where answers came from, and the share that was a fallback, over time."""

from typing import TYPE_CHECKING

import numpy as np

from harness.model.outcome import FALLBACK_EXEMPT_SOURCES, FALLBACK_SOURCES
from harness.report.material import SOURCES, Material
from harness.report.numbers import percent
from harness.report.palette import SOURCE_FILL, TONES
from harness.report.plots.bands import draw_bands
from harness.report.plots.canvas import Plot, Room, label, legend, plot
from harness.report.plots.series import Array, Series
from harness.report.plots.stack import draw_stack
from harness.report.svg import Sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_sources(material: Material, series: Series, sheet: Sheet) -> Plot:
    """Return the plot."""

    def draw(figure: "Figure", room: Room) -> None:
        share, stack = figure.subplots(2, 1, sharex=True, height_ratios=(2, 2))
        share.plot(series.middles_s, _share_of_each_point(series) * 100, color=TONES["orange"].light, marker=".", markersize=3,
                   label="fallback share")  # fmt: skip
        share.set_ylim(-3, 150)
        share.set_yticks((0, 25, 50, 75, 100))
        share.set_xlim(series.edges_s[0], series.edges_s[-1])
        share.set_ylabel("fallback, %")
        draw_bands((share, stack), material, room)
        draw_stack(stack, series, SOURCE_FILL)
        stack.set_ylabel("answers a second")
        stack.set_xlabel("seconds from the start of the run")
        legend(stack, room)

    return plot("sources", "Fallback share and where answers came from", _reading(material), sheet, draw, height_in=4.2)


def _share_of_each_point(series: Series) -> Array:
    """Return the share second by second, for the eye only: what was judged stands in the table of objectives."""
    fallback = sum((series.rates[source] for source in FALLBACK_SOURCES), np.zeros(len(series.edges_s) - 1))
    exempt = {str(source) for source in FALLBACK_EXEMPT_SOURCES}
    of = sum((series.rates[source] for source in SOURCES if source not in exempt), np.zeros(len(series.edges_s) - 1))
    share: Array = np.divide(fallback, of, out=np.full(len(of), np.nan), where=of > 0)
    return share


def _reading(material: Material) -> str:
    if material.summary is None:
        return "Where each second's answers came from; the shares in numbers are missing."
    parts = [
        f"{percent(phase.fallback / phase.fallback_of)} in {label(phase.name)} ({phase.fallback:,} of {phase.fallback_of:,})"
        for phase in material.summary.phases
        if phase.fallback_of
    ]
    return f"The fallback share was {', '.join(parts)}." if parts else "No phase had an answer to count."
