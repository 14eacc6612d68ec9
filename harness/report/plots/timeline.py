"""Latency over time, with phases and faults over it and outcomes under it."""

from typing import TYPE_CHECKING

from harness.model.objective import Quantity
from harness.report.material import Material
from harness.report.numbers import percent, seconds
from harness.report.palette import FILL, TONES
from harness.report.plots.bands import draw_bands, fault_names
from harness.report.plots.canvas import Plot, Room, label, legend, plot
from harness.report.plots.series import Series
from harness.report.plots.stack import draw_stack
from harness.report.svg import Sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RESULTS = ("answered", "refused", "shed", "error", "timeout", "malformed", "cancelled", "unsent")


def draw_timeline(material: Material, series: Series, sheet: Sheet) -> Plot:
    """Return the plot."""

    def draw(figure: "Figure", room: Room) -> None:
        latency, outcomes = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        for name, tone, style in (("p95", "blue", "-"), ("p50", "green", "--")):
            values = series.levels[f"response_{name}_s"]
            latency.plot(series.middles_s, values, style, color=TONES[tone].light, label=f"{name} latency", marker=".", ms=3)
        for limit_s, words in _limits(material):
            latency.axhline(limit_s, color=TONES["vermillion"].light, linestyle=":", linewidth=1.4, label=label(words))
        latency.set_ylim(bottom=0, top=latency.get_ylim()[1] * 1.22)
        latency.set_xlim(series.edges_s[0], series.edges_s[-1])
        latency.set_ylabel("seconds, from the intended start")
        draw_bands((latency, outcomes), material, room)
        legend(latency, room)
        draw_stack(outcomes, series, {name: FILL[name] for name in RESULTS})
        outcomes.set_ylabel("requests a second")
        outcomes.set_xlabel("seconds from the start of the run")
        legend(outcomes, room)

    return plot("timeline", "Latency and outcomes over time", _reading(material) + series.per, sheet, draw, height_in=5.4)


def _limits(material: Material) -> list[tuple[float, str]]:
    plan = material.plan
    objectives = plan.objectives if plan else ()
    limits = {o.threshold_ns / 1e9: f"limit {seconds(o.threshold_ns / 1e9)}" for o in objectives
              if o.quantity is Quantity.LATENCY and o.threshold_ns is not None}  # fmt: skip
    return sorted(limits.items())


def _reading(material: Material) -> str:
    summary = material.summary
    if summary is None:
        return "What each second of the run looked like; the summary in numbers is missing."
    parts = []
    for phase in summary.phases:
        p95 = next((quantile.value_s for quantile in phase.response if quantile.permille == 950), None)
        if phase.eligible:
            figure = seconds(p95) if p95 is not None else "above every answer"
            parts.append(f"{figure} in {label(phase.name)} ({percent(phase.bad / phase.eligible)} bad)")
    if not parts:
        return "No phase had a request to judge."
    faults = fault_names(material)
    under = f" Shaded: {', '.join(label(name) for name in faults)}." if faults else ""
    return f"p95 was {', '.join(parts)}.{under}"
