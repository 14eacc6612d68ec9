import io
import itertools

import pytest
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.figure import Figure

from harness.report.margins import leave_margins
from harness.report.plots.canvas import Room, drawing, legend

ROOMS = (Room(width_in=11.0, narrow=False), Room(width_in=4.9, narrow=True))


def placed(room: Room, rows: int, ticks: list[str] | None, most: float) -> tuple[Figure, RendererSVG]:
    figure = Figure(figsize=(room.width_in, 3.6), dpi=72)
    for axes in figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]:
        axes.plot([0, 95], [0, most], label="seen")
        axes.plot([0, 95], [most, 0], label="planned")
        axes.set_ylim(0, most)  # ticks beyond it are not drawn
        axes.set_ylabel("seconds")
        if ticks:
            axes.set_yticks([most * place / len(ticks) for place in range(len(ticks))], ticks)
        legend(axes, room, columns=1 if room.narrow else 8)
    figure.axes[-1].set_xlabel("seconds from the start of the run")
    renderer = RendererSVG(room.width_in * 72, 3.6 * 72, io.StringIO())
    leave_margins(figure, renderer)
    return figure, renderer


@pytest.mark.parametrize("room", ROOMS, ids=["wide", "narrow"])
@pytest.mark.parametrize(
    ("rows", "ticks", "most"),
    [
        (1, None, 1.0),
        (2, None, 1.0),
        (2, None, 123_456_789.0),
        (2, None, 0.000_012),
        (2, ["short", "a name that takes half of a phone"], 1.0),
    ],
    ids=["one", "small", "large", "tiny", "long names"],
)
def test_all_parts_stay_inside_the_figure_and_off_each_other(room: Room, rows: int, ticks: list[str] | None, most: float) -> None:
    """By Matplotlib's own account of what each part takes, which the margins do not ask for."""
    with drawing():
        figure, renderer = placed(room, rows, ticks, most)
        taken = [axes.get_tightbbox(renderer) for axes in figure.axes]
    for box in taken:
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= renderer.width + 0.5
        assert box.y1 <= renderer.height + 0.5
    for upper, lower in itertools.pairwise(taken):
        assert lower.y1 <= upper.y0 + 0.5
    for axes in figure.axes:
        label = axes.yaxis.label.get_window_extent(renderer)
        beside = [tick.get_window_extent(renderer).x0 for tick in axes.get_yticklabels() if tick.get_text()]
        assert label.x1 <= min(beside) + 0.5
        assert axes.bbox.width > renderer.width * 0.3


def test_nothing_to_draw_still_has_its_margins() -> None:
    figure = Figure(figsize=(5, 3), dpi=72)
    axes = figure.subplots()
    axes.set_axis_off()
    leave_margins(figure, RendererSVG(360, 216, io.StringIO()))
    assert axes.bbox.width > 0


@pytest.mark.parametrize("room", ROOMS, ids=["wide", "narrow"])
def test_a_name_longer_than_the_figure_leaves_place_to_draw_in(room: Room) -> None:
    with drawing():
        figure, renderer = placed(room, 2, ["short", "x" * 300], 1.0)
    for axes in figure.axes:
        assert axes.bbox.width > renderer.width * 0.3
        assert 0 < axes.bbox.x0 < axes.bbox.x1 <= renderer.width
