"""Every form of a readiness document by its name; each is imported only when asked for."""

from collections.abc import Callable, Mapping, Sequence

from harness.errors import ConfigurationError, did_you_mean
from harness.report.release.material import ReleaseMaterial


def _html(material: ReleaseMaterial) -> bytes:
    from harness.report.release.page import render_page

    return render_page(material).encode("utf-8", "backslashreplace")


def _json(material: ReleaseMaterial) -> bytes:
    return material.document


def _markdown(material: ReleaseMaterial) -> bytes:
    from harness.report.release.markdown import render_markdown

    return render_markdown(material).encode("utf-8", "backslashreplace")


def _junit(material: ReleaseMaterial) -> bytes:
    from harness.report.release.junit import render_junit

    return render_junit(material)


def _sarif(material: ReleaseMaterial) -> bytes:
    from harness.report.release.sarif import render_sarif

    return render_sarif(material)


def _statement(material: ReleaseMaterial) -> bytes:
    from harness.report.release.statement import render_statement

    return render_statement(material, {})


FORMATS: Mapping[str, Callable[[ReleaseMaterial], bytes]] = {
    "html": _html,
    "json": _json,
    "md": _markdown,
    "junit": _junit,
    "sarif": _sarif,
    "intoto": _statement,
}
"""Name of a form to how it is made. `intoto` is the bare statement: whoever writes it puts it into a signed envelope."""

FILE_NAMES: Mapping[str, str] = {
    "html": "readiness.html",
    "json": "readiness.json",
    "md": "readiness.md",
    "junit": "readiness.junit.xml",
    "sarif": "readiness.sarif",
    "intoto": "readiness.intoto.json",
}


def render(material: ReleaseMaterial, formats: Sequence[str]) -> dict[str, bytes]:
    """Return file name to content. Raises ConfigurationError on an unknown form, before any is made."""
    for name in formats:
        if name not in FORMATS:
            raise ConfigurationError(f"format {name!r} is unknown; allowed: {', '.join(FORMATS)}{did_you_mean(name, FORMATS)}")
    made = {FILE_NAMES[name]: FORMATS[name](material) for name in formats if name != "intoto"}
    if "intoto" in formats:
        from harness.report.release.statement import render_statement

        made[FILE_NAMES["intoto"]] = render_statement(material, made)
    return made
