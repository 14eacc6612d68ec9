"""Matplotlib's SVG made fit for the page: no style attribute, no stray id, colours that follow the theme.

Style attributes become classes of one sheet, so that the page's security policy can name the sheet by its digest.
"""

import io
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from markupsafe import Markup

from harness.report.margins import leave_margins
from harness.report.palette import TONES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_LONG_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_VARIABLES = {tone.light: f"var(--{name})" for name, tone in TONES.items()}
_COLOUR = re.compile(r"#[0-9a-f]{6}\b")


class Sheet:
    """Collects style declarations; the same declarations share one class.

    prefix: stands before every id of a plot, so that several runs can stand in one page.
    """

    def __init__(self) -> None:
        self.prefix = ""
        self._classes: dict[str, str] = {}

    def class_of(self, declarations: str) -> str:
        """Return the class that stands for these declarations."""
        kept = [part.strip() for part in declarations.split(";") if part.strip() and not part.strip().startswith("font-family")]
        style = _COLOUR.sub(lambda match: _VARIABLES.get(match.group(0), match.group(0)), ";".join(kept).replace(": ", ":"))
        return self._classes.setdefault(style, f"m{len(self._classes)}")

    @property
    def css(self) -> str:
        """The rules collected so far."""
        return "\n".join(f".{name}{{{style}}}" for style, name in self._classes.items())


def inline(figure: "Figure", *, name: str, css_class: str, description: str, sheet: Sheet) -> Markup:
    """Return a figure as an `<svg>` element to stand in a page.

    name: prefix of its ids, unique in the page. description: what a reader who cannot see it is told.
    """
    root = ET.fromstring(_drawn(figure))  # noqa: S314 - written by Matplotlib
    name = f"{sheet.prefix}{name}"
    _drop(root)
    used = _references(root)
    for element in root.iter():
        _rewrite(element, name, used, sheet)
    for attribute in ("width", "height", "version"):
        root.attrib.pop(attribute, None)
    root.set("class", css_class)
    root.set("role", "img")
    root.set("aria-label", description)
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", _XLINK)
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - serialised as XML, every text node escaped


def _drawn(figure: "Figure") -> str:
    """Return the figure as Matplotlib writes it. `savefig` would draw it a second time, to find out where its parts belong."""
    from matplotlib.backends.backend_svg import RendererSVG

    buffer = io.StringIO()
    width, height = figure.get_size_inches() * 72
    renderer = RendererSVG(width, height, buffer, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})  # type: ignore[no-untyped-call]  # Matplotlib's
    leave_margins(figure, renderer)
    figure.draw(renderer)
    renderer.finalize()  # type: ignore[no-untyped-call]  # Matplotlib's
    return buffer.getvalue()


def _drop(root: ET.Element) -> None:
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.endswith(("}metadata", "}style")):
                parent.remove(child)


def _references(root: ET.Element) -> frozenset[str]:
    used: set[str] = set()
    for element in root.iter():
        for attribute, value in element.attrib.items():
            if attribute.endswith("href"):
                used.add(value.removeprefix("#"))
            used.update(_REFERENCE.findall(value))
    return frozenset(used)


def _rewrite(element: ET.Element, name: str, used: frozenset[str], sheet: Sheet) -> None:
    style = element.attrib.pop("style", None)
    if style:
        element.set("class", sheet.class_of(style))
    own_id = element.attrib.pop("id", None)
    if own_id in used:
        element.set("id", f"{name}-{own_id}")
    for attribute, value in list(element.attrib.items()):
        if attribute.endswith("href"):
            element.set(attribute, f"#{name}-{value.removeprefix('#')}")
        elif attribute in ("d", "x", "y", "transform", "points"):
            element.set(attribute, " ".join(_LONG_NUMBER.sub(_shorter, value).split()))
        elif "url(#" in value:
            element.set(attribute, value.replace("url(#", f"url(#{name}-"))


def _shorter(match: re.Match[str]) -> str:
    return f"{float(match.group(0)):.1f}"
