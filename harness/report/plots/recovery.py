"""What followed each fault: how soon it showed, who stood in, and when the service was itself again."""

from typing import TYPE_CHECKING

from harness.model.measurement import Recovery
from harness.model.objective import Quantity
from harness.report.material import Material
from harness.report.numbers import seconds
from harness.report.palette import TONES
from harness.report.plots.canvas import Plot, Room, label, legend, plot
from harness.report.svg import Sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STEPS = (
    ("to_detect_s", "first sign of it", Quantity.DETECTION, "vermillion", "X"),
    ("to_fallback_s", "first fallback answer", Quantity.TO_FALLBACK, "orange", "D"),
    ("to_primary_s", "primary's first answer", Quantity.TO_PRIMARY, "sky", "s"),
    ("recovered_s", "recovered", Quantity.RECOVERY, "green", "o"),
)
"""Field, words, the objective that limits it, tone and mark: each has a mark of its own beside its colour."""
_MOST_FAULTS = 8


def draw_recovery(material: Material, sheet: Sheet) -> Plot | None:
    """Return the plot; None where no fault was followed."""
    summary = material.summary
    recoveries = summary.recoveries[:_MOST_FAULTS] if summary is not None else ()
    if not recoveries or all(getattr(each, name) is None for each in recoveries for name, *_ in _STEPS):
        return None
    rows = [(recovery, step) for recovery in recoveries for step in _STEPS]

    def draw(figure: "Figure", room: Room) -> None:
        axes = figure.subplots()
        known = [value for recovery, (name, *_) in rows if (value := getattr(recovery, name)) is not None]
        limits = [limit for recovery, step in rows if (limit := _limit_s(material, recovery, step[2])) is not None]
        longest_s = max([*known, *limits, 0.1]) * 1.25
        told_limit = False
        for row, (recovery, (name, _, quantity, tone, mark)) in enumerate(rows):
            value_s, limit_s = getattr(recovery, name), _limit_s(material, recovery, quantity)
            colour = TONES[tone].light
            if value_s is not None:
                axes.plot([0, value_s], [row, row], color=colour, linewidth=3, solid_capstyle="butt")
                axes.plot([value_s], [row], mark, color=colour, markersize=8)
                axes.annotate(
                    seconds(value_s), (value_s, row), xytext=(8, 0), textcoords="offset points", va="center", fontsize=8
                )
            else:
                axes.annotate("not seen", (0, row), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)
            if limit_s is not None:
                told = "_nolegend_" if told_limit else "limit of an objective"
                told_limit = True
                axes.plot([limit_s, limit_s], [row - 0.38, row + 0.38], color=TONES["ink"].light, linewidth=2, label=told)
        axes.set_yticks(range(len(rows)), [_words(recovery, step, room) for recovery, step in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(0, longest_s)
        axes.grid(visible=False, axis="y")
        axes.grid(axis="x")
        axes.set_xlabel("seconds")
        legend(axes, room, columns=1)

    height_in = 1.1 + 0.3 * len(rows)
    return plot("recovery", "What followed each fault", _reading(recoveries), sheet, draw, height_in=height_in)


def _words(recovery: Recovery, step: tuple[str, str, Quantity, str, str], room: Room) -> str:
    return step[1] if room.narrow else label(f"{step[1]} ({recovery.after})")


def _limit_s(material: Material, recovery: Recovery, quantity: Quantity) -> float | None:
    objectives = material.plan.objectives if material.plan is not None else ()
    limits = [o.limit for o in objectives if o.quantity is quantity and o.after == recovery.after]
    return min(limits) / 1e9 if limits else None


def _reading(recoveries: tuple[Recovery, ...]) -> str:
    parts = []
    for each in recoveries:
        sign = f"showed after {seconds(each.to_detect_s)}" if each.to_detect_s is not None else "showed in no answer"
        again = (
            f"the service was itself again {seconds(each.recovered_s)} after the repair"
            if each.recovered_s is not None
            else f"no recovery was seen in the {seconds(each.window_s)} after it"
        )
        parts.append(f"the fault of {label(each.after)} {sign}, and {again}")
    told = "; ".join(parts)
    return (
        f"In this one drill {told}. The first two count from the moment the fault was confirmed, the last two from the moment it "
        "was proved clear."
    )
