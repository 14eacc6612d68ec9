"""The states of circuits over time, as each instance told them: told by height as well as by colour."""

from typing import TYPE_CHECKING

from harness.report.material import Material
from harness.report.numbers import seconds
from harness.report.palette import TONES
from harness.report.plots.bands import draw_bands
from harness.report.plots.canvas import Plot, Room, label, legend, plot
from harness.report.svg import Sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LOOKS = {"closed": ("green", 0.14), "half-open": ("orange", 0.42), "open": ("vermillion", 0.8)}
"""State to tone and height: a circuit that is open is a tall bar, also without colour."""
_MOST_ROWS = 12


def draw_breakers(material: Material, sheet: Sheet) -> Plot | None:
    """Return the plot; None where no instance told any state."""
    table = material.breakers
    if table is None or table.num_rows == 0 or material.plan is None:
        return None
    spans = [span for span in table.to_pylist() if span["state"] in _LOOKS]
    names = sorted({(span["endpoint"] or "", span["instance"] or "") for span in spans})[:_MOST_ROWS]
    end_s = material.plan.end_ns / 1e9

    def draw(figure: "Figure", room: Room) -> None:
        axes = figure.subplots()
        told: set[str] = set()
        for row, (endpoint, instance) in enumerate(names):
            for span in spans:
                if (span["endpoint"] or "", span["instance"] or "") != (endpoint, instance):
                    continue
                tone, height = _LOOKS[span["state"]]
                name = "_nolegend_" if span["state"] in told else span["state"]
                told.add(span["state"])
                left_s = max(0.0, span["from_s"])
                width_s = max(min(span["to_s"], end_s) - left_s, 0.3)
                axes.broken_barh(
                    [(left_s, width_s)], (row - height / 2, height), facecolor=TONES[tone].light, linewidth=0, label=name
                )
        axes.set_yticks(range(len(names)), [label(f"{endpoint or 'circuit'} on {instance}") for endpoint, instance in names])
        axes.set_xlim(0, end_s)
        axes.set_ylim(-0.7, len(names) + 0.3)
        axes.grid(visible=False)
        axes.set_xlabel("seconds from the start of the run")
        draw_bands((axes,), material, room)
        legend(axes, room, columns=3)

    height_in = 1.7 + 0.38 * len(names)
    return plot("breakers", "States of the circuits", _reading(spans, names), sheet, draw, height_in=height_in)


def _reading(spans: list[dict[str, object]], names: list[tuple[str, str]]) -> str:
    parts = []
    for endpoint, instance in names:
        mine = [span for span in spans if ((span["endpoint"] or ""), (span["instance"] or "")) == (endpoint, instance)]
        opened = next((span for span in mine if span["state"] == "open"), None)
        if opened is None:
            continue
        closed = next((s for s in reversed(mine) if s["state"] == "closed" and s["from_s"] > opened["from_s"]), None)  # type: ignore[operator]
        again = f"closed again at {seconds(float(str(closed['from_s'])))}" if closed is not None else "was not seen closed again"
        what = label(f"{endpoint or 'the circuit'} on {instance}")
        parts.append(f"{what} was first seen open at {seconds(float(str(opened['from_s'])))} and {again}")
    told = f"{'; '.join(parts)}." if parts else "No circuit was seen open."
    return f"As each instance told its scrapes: {told} The taller the bar, the less is let through."
