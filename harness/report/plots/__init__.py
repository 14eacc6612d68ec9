"""The plots of a report, drawn by Matplotlib; imported only when a page is made."""

from collections.abc import Mapping

from harness.report.material import Material
from harness.report.plots.canvas import Plot
from harness.report.plots.distribution import draw_distribution
from harness.report.plots.instrument import draw_instrument
from harness.report.plots.series import read_series
from harness.report.plots.sources import draw_sources
from harness.report.plots.spend import draw_spend
from harness.report.plots.timeline import draw_timeline
from harness.report.svg import Sheet

__all__ = ["Plot", "draw_plots"]


def draw_plots(material: Material, sheet: Sheet) -> Mapping[str, Plot]:
    """Return every plot that the material has numbers for, by name."""
    plots: list[Plot | None] = []
    series = read_series(material.timeline) if material.timeline is not None else None
    if series is not None:
        plots += [draw(material, series, sheet) for draw in (draw_timeline, draw_sources, draw_spend, draw_instrument)]
    if material.cdf is not None:
        plots.append(draw_distribution(material.cdf, sheet))
    return {drawn.name: drawn for drawn in plots if drawn is not None}
