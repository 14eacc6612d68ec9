"""The plots of a report, drawn by Matplotlib; imported only when a page is made."""

from collections.abc import Callable, Container, Mapping

from harness.report.material import Material
from harness.report.plots.breakers import draw_breakers
from harness.report.plots.canvas import Plot
from harness.report.plots.distribution import draw_distribution
from harness.report.plots.gaps import draw_gaps
from harness.report.plots.heat import draw_heat
from harness.report.plots.instrument import draw_instrument
from harness.report.plots.recovery import draw_recovery
from harness.report.plots.series import Series, read_series
from harness.report.plots.sources import draw_sources
from harness.report.plots.spend import draw_spend
from harness.report.plots.timeline import draw_timeline
from harness.report.svg import Sheet

__all__ = ["Plot", "draw_plots"]

_OVER_TIME: Mapping[str, Callable[[Material, Series, Sheet], Plot]] = {
    "timeline": draw_timeline,
    "sources": draw_sources,
    "spend": draw_spend,
    "instrument": draw_instrument,
}

_OF_THE_WHOLE: Mapping[str, Callable[[Material, Sheet], Plot | None]] = {
    "heat": draw_heat,
    "gaps": draw_gaps,
    "breakers": draw_breakers,
    "recovery": draw_recovery,
}


def draw_plots(material: Material, sheet: Sheet, names: Container[str] | None = None) -> Mapping[str, Plot]:
    """Return every plot that the material has numbers for, by name. names: those wanted, None for all."""
    plots: list[Plot | None] = []
    series = read_series(material.timeline) if material.timeline is not None else None
    if series is not None:
        plots += [draw(material, series, sheet) for name, draw in _OVER_TIME.items() if names is None or name in names]
    if material.cdf is not None and (names is None or "distribution" in names):
        plots.append(draw_distribution(material.cdf, sheet))
    plots += [draw(material, sheet) for name, draw in _OF_THE_WHOLE.items() if names is None or name in names]
    return {drawn.name: drawn for drawn in plots if drawn is not None}
