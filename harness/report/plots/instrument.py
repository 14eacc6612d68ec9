"""The instrument's own health over time: did it send when it meant to, and had it CPU to spare?"""

from typing import TYPE_CHECKING

from harness.report.material import Material
from harness.report.numbers import count, milliseconds
from harness.report.palette import TONES
from harness.report.plots.bands import draw_bands
from harness.report.plots.canvas import Plot, Room, legend, plot
from harness.report.plots.series import Series
from harness.report.svg import Sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_instrument(material: Material, series: Series, sheet: Sheet) -> Plot:
    """Return the plot."""

    def draw(figure: "Figure", room: Room) -> None:
        lag, cpu = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        for name, words, tone, style in (
            ("lag_p99_ms", "dispatch lag p99", "blue", "-"),
            ("loop_lag_p99_ms", "event loop lag p99", "orange", "--"),
        ):
            lag.plot(series.middles_s, series.levels[name], style, color=TONES[tone].light, label=words)
        lag.set_ylim(bottom=0, top=max(lag.get_ylim()[1] * 1.22, 1.0))
        lag.set_xlim(series.edges_s[0], series.edges_s[-1])
        lag.set_ylabel("milliseconds")
        cpu.plot(series.middles_s, series.levels["cpu_ratio"] * 100, color=TONES["green"].light, label="CPU of the load")
        cpu.set_ylim(0, 105)
        cpu.set_ylabel("% of a core")
        cpu.set_xlabel("seconds from the start of the run")
        draw_bands((lag, cpu), material, room)
        legend(lag, room)
        legend(cpu, room)

    return plot("instrument", "The instrument's own delays and CPU", _reading(material), sheet, draw, height_in=3.8)


def _reading(material: Material) -> str:
    if material.verdict is None:
        return "The generator's own delays; whether they were within bounds was not judged."
    health = material.verdict.instrument
    state = "The instrument was sound" if health.valid else "The instrument was not sound"
    return (
        f"{state}: {count(health.sent)} of {count(health.intended)} arrivals were sent, 99 % of them at most "
        f"{milliseconds(health.lag_p99_ms)} late; in 99 % of cases the event loop woke at most "
        f"{milliseconds(health.loop_lag_p99_ms)} late."
    )
