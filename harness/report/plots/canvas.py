"""Every plot's figure: one look, no global state, no word on standard error."""

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from harness.report.palette import TONES
from harness.report.svg import Sheet, inline
from harness.report.visible import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, RULE = (TONES[name].light for name in ("ink", "muted", "rule"))

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text as text: a tenth of the size, and it can be read, found and copied
    "svg.hashsalt": "harness",
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "figure.facecolor": "none",
    "figure.edgecolor": "none",
    "font.sans-serif": ["DejaVu Sans"],  # comes with Matplotlib; it only measures, and looking for others takes time
    "font.size": 9.0,
    "axes.labelsize": 9.0,
    "axes.titlesize": 9.0,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "lines.linewidth": 1.6,
    "path.simplify": True,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A plot for the page. wide, narrow: the same figure for a screen or paper, and for a phone.

    reading: one sentence built from the numbers.
    """

    name: str
    title: str
    reading: str
    wide: Markup
    narrow: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much place a drawing has. width_in: inches of 72 points; narrow: a phone."""

    width_in: float
    narrow: bool


_ROOMS = (Room(width_in=11.0, narrow=False), Room(width_in=4.9, narrow=True))


def plot(name: str, title: str, reading: str, sheet: Sheet, draw: Callable[["Figure", Room], None], *, height_in: float) -> Plot:
    """Return a plot drawn twice by `draw`, once for each room. height_in: of the wide form; the narrow is as tall."""
    with drawing():
        from matplotlib.figure import Figure

        drawn = []
        for room in _ROOMS:
            figure = Figure(figsize=(room.width_in, height_in), dpi=72)
            draw(figure, room)
            size = "narrow" if room.narrow else "wide"
            description = f"{title}. {reading}"
            drawn.append(inline(figure, name=f"{name}-{size}", css_class=f"plot {size}", description=description, sheet=sheet))
    wide, narrow = drawn
    return Plot(name=name, title=title, reading=reading, wide=wide, narrow=narrow)


def legend(axes: "Axes", room: Room, *, columns: int = 8) -> None:
    """Put the legend above the axes, in as many columns as there is place for."""
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        axes.legend(handles, labels, loc="lower left", bbox_to_anchor=(0, 1), ncols=min(columns, 3 if room.narrow else columns),
                    borderaxespad=0.2, handlelength=1.2, columnspacing=1.2)  # fmt: skip


def label(text: str) -> str:
    """Return a text of the user's or the target's, fit to be drawn."""
    return visible(text, longest=40)


@contextlib.contextmanager
def drawing() -> Iterator[None]:
    """Have Matplotlib draw in our look, quietly, whatever this user has told it elsewhere."""
    # A home that is missing or cannot be written makes Matplotlib warn and keep its fonts in a temporary directory,
    # which it removes itself; a first run tells that it builds its font cache. Neither is news to our reader.
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        import matplotlib as mpl

        with mpl.rc_context(), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a glyph that its font lacks: the reader's own font draws the text
            mpl.rcdefaults()  # not the look that this user's own matplotlibrc asks for
            mpl.rcParams.update(_STYLE)
            yield
    finally:
        logger.setLevel(level)
