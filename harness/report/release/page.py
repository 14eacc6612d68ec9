"""The readiness page: one file that asks for nothing else and runs no script; its filters are CSS."""

from dataclasses import dataclass

from markupsafe import Markup

from harness.model.measurement import Summary
from harness.model.readiness import Readiness, ReleaseRun, RowResult, RowStatus
from harness.report.definitions import definitions
from harness.report.drilldown import DrillDown, choose_rows
from harness.report.material import Material
from harness.report.pages import environment, policy, style
from harness.report.plots import Plot, draw_plots
from harness.report.release.looks import DECISIONS, ROWS, RowLook, attempts_text, counts, headline, who_may_sign
from harness.report.release.material import ReleaseMaterial
from harness.report.svg import Sheet
from harness.report.visible import visible

MOST_DRAWN = 24
"""Runs with a plot and requests of their own: a page of more would pass five megabytes."""

_MOST_REQUESTS = 60
_MOST_TEXT = 400
"""Of each request and answer: twenty-four runs of sixty are a megabyte."""

_SET_ASIDE = (RowStatus.ATTESTED, RowStatus.WAIVED, RowStatus.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSection:
    """One run on the page. anchor: `run-1`; plot, drill_down: None where its measurements are not there."""

    anchor: str
    run: ReleaseRun
    summary: Summary | None
    material: Material | None
    plot: Plot | None
    drill_down: DrillDown | None


def render_page(material: ReleaseMaterial) -> str:
    """Return the page. Everything that comes from files or runs is escaped, and made visible first."""
    readiness = material.readiness
    sheet = Sheet()
    sections = [_section(number, run, material.runs.get(run.run_id), sheet) for number, run in enumerate(readiness.runs, start=1)]
    sheet_text = style(sheet, "release.css")
    return environment().get_template("readiness.html.j2").render(
        policy=policy(sheet_text),
        style=Markup(sheet_text),  # noqa: S704 - our own sheets
        readiness=readiness,
        decision=DECISIONS[readiness.decision],
        row_looks=ROWS,
        counts=counts(readiness),
        headline=headline(readiness),
        shares=_shares(readiness),
        proven=[row for row in readiness.rows if row.status is RowStatus.VERIFIED],
        set_aside=[row for row in readiness.rows if row.status in _SET_ASIDE],
        not_proven=_not_proven(readiness),
        who_may_sign=who_may_sign(readiness),
        attempts_text=attempts_text,
        by_area=_by_area(readiness),
        sections=sections,
        anchors={section.run.run_id: section.anchor for section in sections},
        command=Markup.escape(visible(material.command, longest=10_000)),
        definitions=definitions(),
    )  # fmt: skip


def _section(number: int, run: ReleaseRun, material: Material | None, sheet: Sheet) -> RunSection:
    anchor = f"run-{number}"
    plot, drill_down = None, None
    if material is not None and number <= MOST_DRAWN:
        sheet.prefix = f"{anchor}-"
        plot = draw_plots(material, sheet, ("timeline",)).get("timeline")
        sheet.prefix = ""
        if material.requests is not None:
            drill_down = choose_rows(
                material.requests, material.verdict, most=_MOST_REQUESTS, kept_in=material.folder, most_text=_MOST_TEXT
            )
    summary = material.summary if material is not None else None
    return RunSection(anchor=anchor, run=run, summary=summary, material=material, plot=plot, drill_down=drill_down)


def _shares(readiness: Readiness) -> list[tuple[RowLook, int, float, float]]:
    """Return each status with its count, and where its part of a bar of 100 begins and how wide it is."""
    parts, left = [], 0.0
    for status, number in counts(readiness).items():
        width = 100 * number / len(readiness.rows)
        parts.append((ROWS[status], number, round(left, 3), round(width, 3)))
        left += width
    return parts


def _not_proven(readiness: Readiness) -> list[RowResult]:
    """Return the rows that were neither verified nor set aside, the gravest first."""
    order = (RowStatus.FAILED, RowStatus.NOT_PROVEN, RowStatus.NOT_COVERED)
    return [row for status in order for row in readiness.rows if row.status is status]


def _by_area(readiness: Readiness) -> list[tuple[str, list[RowResult]]]:
    areas: dict[str, list[RowResult]] = {}
    for row in readiness.rows:
        areas.setdefault(row.area, []).append(row)
    return list(areas.items())
