"""Margins of a figure, measured once: what stands outside its axes decides how much place they leave.

Matplotlib's own layout asks for the size of every part twice, and drawing asks again where the axes' labels belong. Ours
have fixed places, since only the labels of ticks and the legends above the axes differ from plot to plot.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.backends.backend_svg import RendererSVG
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

_EDGE = 3.0
_LABEL = 16.0
"""Points: what stays empty at the figure's edge, and what an axis label takes with the gap to its ticks."""
_MOST = 0.6
"""Share of a figure that its left margin may take; a text that is longer yet is cut at the edge."""
_USUAL = (50.0, 10.0, 36.0, 22.0)
"""Left, right, bottom and top for the first measurement: how many ticks an axis gets depends on its length."""


def leave_margins(figure: "Figure", renderer: "RendererSVG") -> None:
    """Place the axes of a figure, one column of them from top to bottom, and their labels."""
    column = figure.axes
    width, height = renderer.width, renderer.height
    left, right, bottom, top = _USUAL
    figure.subplots_adjust(left=left / width, right=1 - right / width, bottom=bottom / height, top=1 - top / height)
    _open(figure, top + 2 * _EDGE)
    _place_labels(column)
    left = min(max(_left_of(axes, renderer) for axes in column), width * _MOST)
    right, bottom = _right_and_below(column[-1], renderer)
    tops = [min(_above(axes, renderer), height * _MOST / 2) for axes in column]
    figure.subplots_adjust(left=left / width, right=1 - right / width, bottom=bottom / height, top=1 - tops[0] / height)
    _open(figure, max(tops[1:], default=0.0) + 2 * _EDGE)


def _open(figure: "Figure", gap: float) -> None:
    """Leave a gap of so many points between axes."""
    column, margins = figure.axes, figure.subplotpars
    inside = (margins.top - margins.bottom) * figure.bbox.height
    figure.subplots_adjust(hspace=gap / ((inside - gap * (len(column) - 1)) / len(column)))


def _place_labels(column: Sequence["Axes"]) -> None:
    from matplotlib.transforms import IdentityTransform, blended_transform_factory

    points = IdentityTransform()  # a figure of 72 dots an inch is measured in points
    for axes in column:
        axes.yaxis.set_label_coords(_EDGE + _LABEL - 7, 0.5, blended_transform_factory(points, axes.transAxes))
        axes.xaxis.set_label_coords(0.5, _EDGE + _LABEL - 7, blended_transform_factory(axes.transAxes, points))


def _left_of(axes: "Axes", renderer: "RendererSVG") -> float:
    ticks = _ticks(axes.yaxis, renderer)
    beside = axes.bbox.x0 - ticks.x0 if ticks is not None else 0.0
    return max(beside, 0.0) + _EDGE + (_LABEL if axes.get_ylabel() else 0.0)


def _right_and_below(axes: "Axes", renderer: "RendererSVG") -> tuple[float, float]:
    ticks = _ticks(axes.xaxis, renderer)
    label = _LABEL if axes.get_xlabel() else 0.0
    if ticks is None:
        return _EDGE, _EDGE + label
    return max(ticks.x1 - axes.bbox.x1, 0.0) + _EDGE, axes.bbox.y0 - ticks.y0 + _EDGE + label


def _ticks(axis: "Axis", renderer: "RendererSVG") -> "Bbox | None":
    """Return what the labels of an axis's ticks take, without the axis's own."""
    axis.label.set_visible(False)
    taken: Bbox | None = axis.get_tightbbox(renderer)
    axis.label.set_visible(True)
    return taken


def _above(axes: "Axes", renderer: "RendererSVG") -> float:
    legend = axes.get_legend()
    return (legend.get_window_extent(renderer).y1 - axes.bbox.y1 if legend is not None else _EDGE) + _EDGE
