"""What every page shares: the template room, the sheet, and the policy that lets nothing else in."""

import base64
import datetime
import hashlib
import re
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from harness.model.judgement import Judgement
from harness.model.measurement import PhaseSummary
from harness.report import numbers
from harness.report.bounds_bar import bounds_bar
from harness.report.palette import custom_properties
from harness.report.svg import Sheet
from harness.report.visible import harmless
from harness.report.wording import LOOKS, asked, found, sentence

_BEFORE_UNIT = re.compile(r"(?<=\d) (?=(?:%|s|ms|min|h)\b|%)")
"""The space in `5 %`: made one that no line breaks at."""


def environment() -> Environment:
    """Return the templates' environment: everything that a template prints is escaped, and made visible first."""
    made = Environment(
        loader=PackageLoader("harness.report"),
        autoescape=select_autoescape(("html", "j2"), default=True),
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        percent=numbers.percent, seconds=numbers.seconds, ms=numbers.milliseconds, moment=numbers.moment, usd=numbers.dollars,
        count=numbers.count, wall=_wall, at_s=numbers.moment_s,
    )  # fmt: skip
    made.globals.update(
        looks=LOOKS,
        asked=asked,
        found=found,
        sentence=sentence,
        bar=_bar,
        left_out=_left_out,
        plural=numbers.plural,
        NOTHING=numbers.NOTHING,
    )
    return made


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


def style(sheet: Sheet, *more: str) -> str:
    """Return the page's one sheet, with the classes that the plots need. more: names of further sheets of ours."""
    folder = resources.files("harness.report").joinpath("templates")
    base = "\n".join(folder.joinpath(name).read_text("utf-8") for name in ("report.css", *more))
    light, dark = custom_properties("light"), custom_properties("dark")
    themes = f":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n@media print{{:root{{{light}}}}}\n"
    return f"{themes}{base}\n{sheet.css}\n"


def policy(sheet_text: str) -> str:
    """Return the content security policy of a page whose only sheet is this one: no script, nothing from elsewhere."""
    digest = "sha256-" + base64.b64encode(hashlib.sha256(sheet_text.encode()).digest()).decode()
    return f"default-src 'none'; style-src '{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
