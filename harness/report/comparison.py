"""The page of `harness compare`: two runs beside each other, one file that asks for nothing else and runs no script."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from markupsafe import Markup

from harness.report.pages import environment, policy, style
from harness.report.plots.compared import draw_both, draw_differences
from harness.report.svg import Sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRow:
    """One figure of both runs, in words.

    times: the difference and its interval in multiples of what matters; None where that cannot be told.
    """

    name: str
    finding: str
    base: str
    new: str
    told: str
    matters: str
    times: tuple[float, float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRuns:
    """Two runs beside each other. base, new: run ids; cdf_*: their distributions, None where they are missing."""

    base: str
    new: str
    base_version: str
    new_version: str
    finding: str
    sentence: str
    rows: Sequence[ComparedRow]
    notes: Sequence[str]
    cdf_base: pa.Table | None
    cdf_new: pa.Table | None


def render_comparison(runs: ComparedRuns) -> str:
    """Return the page. Everything that comes from a run is escaped, and made visible first."""
    sheet = Sheet()
    drawn = [
        each for each in (draw_differences(runs.rows, sheet), draw_both(runs.cdf_base, runs.cdf_new, sheet)) if each is not None
    ]
    sheet_text = style(sheet)
    return environment().get_template("comparison.html.j2").render(
        policy=policy(sheet_text),
        style=Markup(sheet_text),  # noqa: S704 - our own sheet
        runs=runs,
        plots={each.name: each for each in drawn},
    )  # fmt: skip
