"""The HTML report: one file that asks for nothing else and runs no script."""

from markupsafe import Markup

from harness.model.judgement import Judgement, Status
from harness.model.objective import Severity
from harness.report.definitions import definitions
from harness.report.drilldown import choose_rows
from harness.report.material import Material
from harness.report.pages import environment, policy, style
from harness.report.plots import draw_plots
from harness.report.svg import Sheet
from harness.report.visible import visible
from harness.report.wording import how_to_repeat

_GRAVE = (Status.FAIL, Status.INVALID, Status.INCONCLUSIVE, Status.WARN)


def render_html(material: Material) -> str:
    """Return the page. Everything that comes from the run is escaped, and made visible first."""
    sheet = Sheet()
    plots = draw_plots(material, sheet)
    sheet_text = style(sheet)
    drill_down = (
        choose_rows(material.requests, material.verdict, kept_in=material.folder) if material.requests is not None else None
    )
    results = material.verdict.results if material.verdict else ()
    return environment().get_template("report.html.j2").render(
        policy=policy(sheet_text),
        style=Markup(sheet_text),  # noqa: S704 - our own sheet
        material=material,
        verdict=material.verdict,
        plan=material.plan,
        summary=material.summary,
        plots=plots,
        drill_down=drill_down,
        why=_why(results),
        command=Markup.escape(visible(how_to_repeat(material.plan), longest=10_000)) if material.plan else None,
        definitions=definitions(),
        linkable=drill_down.seqs if drill_down else frozenset(),
    )  # fmt: skip


def _why(results: tuple[Judgement, ...]) -> list[Judgement]:
    """Return the results that are not a pass: gates before warnings, the gravest first."""
    grave = [judgement for judgement in results if judgement.status in _GRAVE]
    return sorted(grave, key=lambda judgement: (judgement.severity is not Severity.GATE, _GRAVE.index(judgement.status)))
