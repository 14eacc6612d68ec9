"""What the run spent, by the provider's meter, against what was planned and what was allowed."""

from typing import TYPE_CHECKING

from harness.model.objective import Kind, Quantity
from harness.report.material import Material
from harness.report.numbers import dollars
from harness.report.palette import TONES
from harness.report.plots.bands import draw_bands
from harness.report.plots.canvas import Plot, Room, legend, plot
from harness.report.plots.series import Series
from harness.report.svg import Sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_spend(material: Material, series: Series, sheet: Sheet) -> Plot:
    """Return the plot."""
    lines = _lines(material)

    def draw(figure: "Figure", room: Room) -> None:
        axes = figure.subplots()
        axes.plot(series.middles_s, series.levels["spend_usd"], color=TONES["blue"].light, label="spent so far")
        for value_usd, words, tone in lines:
            axes.axhline(value_usd, color=TONES[tone].light, linestyle=":", linewidth=1.4, label=words)
        axes.set_ylim(bottom=0, top=max(axes.get_ylim()[1] * 1.15, 1e-9))
        axes.set_xlim(series.edges_s[0], series.edges_s[-1])
        axes.set_ylabel("US dollars, cumulative")
        axes.set_xlabel("seconds from the start of the run")
        draw_bands((axes,), material, room)
        legend(axes, room, columns=1 if room.narrow else 3)

    return plot("spend", "Spend", _reading(material), sheet, draw, height_in=3.0)


def _lines(material: Material) -> list[tuple[float, str, str]]:
    lines = []
    if material.summary is not None:
        planned = material.summary.planned_spend_usd
        lines.append((planned, f"planned {dollars(planned)}", "green"))
    return lines + [
        (objective.limit, f"limit {dollars(objective.limit)}", "vermillion")
        for objective in (material.plan.objectives if material.plan else ())
        if objective.kind is Kind.BUDGET and objective.quantity is Quantity.SPEND
    ]


def _reading(material: Material) -> str:
    summary = material.summary
    if summary is None:
        return "Spend second by second; the sum is missing."
    if summary.spend_source == "unknown":
        return "Neither the provider's records nor the target say what was spent."
    by = "" if summary.spend_source == "provider" else ", as the target itself claims"
    calls = f"{summary.provider_calls:,} provider calls"
    unmatched = f", {summary.unmatched_calls:,} of them matched to no request" if summary.unmatched_calls else ""
    return f"{dollars(summary.spend_usd)} was spent on {calls}{unmatched}{by}; {dollars(summary.planned_spend_usd)} was planned."
