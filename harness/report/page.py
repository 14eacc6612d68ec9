"""The HTML report: one file that asks for nothing else and runs no script."""

import base64
import datetime
import hashlib
import re
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from harness.model.judgement import Judgement, Status
from harness.model.measurement import PhaseSummary
from harness.model.objective import Severity
from harness.report import numbers
from harness.report.bounds_bar import bounds_bar
from harness.report.definitions import definitions
from harness.report.drilldown import choose_rows
from harness.report.material import Material
from harness.report.palette import custom_properties
from harness.report.plots import draw_plots
from harness.report.svg import Sheet
from harness.report.visible import harmless, visible
from harness.report.wording import LOOKS, asked, found, how_to_repeat, sentence

_BEFORE_UNIT = re.compile(r"(?<=\d) (?=(?:%|s|ms|min|h)\b|%)")
"""The space in `5 %`: made one that no line breaks at."""

_GRAVE = (Status.FAIL, Status.INVALID, Status.INCONCLUSIVE, Status.WARN)


def render_html(material: Material) -> str:
    """Return the page. Everything that comes from the run is escaped, and made visible first."""
    sheet = Sheet()
    plots = draw_plots(material, sheet)
    style = _style(sheet)
    drill_down = choose_rows(material.requests, material.verdict) if material.requests is not None else None
    results = material.verdict.results if material.verdict else ()
    return _environment().get_template("report.html.j2").render(
        policy=f"default-src 'none'; style-src '{_digest(style)}'; img-src data:; base-uri 'none'; form-action 'none'",
        style=Markup(style),  # noqa: S704 - our own sheet
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


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("harness.report"),
        autoescape=select_autoescape(("html", "j2"), default=True),
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=numbers.percent, seconds=numbers.seconds, ms=numbers.milliseconds, moment=numbers.moment, usd=numbers.dollars,
        count=numbers.count, wall=_wall, at_s=numbers.moment_s,
    )  # fmt: skip
    environment.globals.update(
        looks=LOOKS,
        asked=asked,
        found=found,
        sentence=sentence,
        bar=_bar,
        left_out=_left_out,
        plural=numbers.plural,
        NOTHING=numbers.NOTHING,
    )
    return environment


def _finalize(value: object) -> object:
    """Make every text that a template prints visible, so that none can be forgotten."""
    if value is None:
        return numbers.NOTHING
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return _BEFORE_UNIT.sub("\u00a0", harmless(value, longest=2000))


def _wall(text: str) -> str:
    """Return an ISO 8601 moment as people write it; anything else as it is."""
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if moment.tzinfo else text


def _bar(judgement: Judgement) -> Markup:
    return bounds_bar(judgement, harmless("; ".join(found(judgement))))


def _left_out(phase: PhaseSummary) -> str:
    counts = (("straddling", phase.straddling), ("recovering", phase.recovering), ("cancelled", phase.cancelled))
    return ", ".join(f"{numbers.count(number)} {name}" for name, number in counts if number) or "0"


def _style(sheet: Sheet) -> str:
    base = resources.files("harness.report").joinpath("templates/report.css").read_text("utf-8")
    light, dark = custom_properties("light"), custom_properties("dark")
    themes = f":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n@media print{{:root{{{light}}}}}\n"
    return f"{themes}{base}\n{sheet.css}\n"


def _digest(style: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
