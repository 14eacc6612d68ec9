"""Writes the reports of one run into its directory."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from harness.report.material import Material
    from harness.rundir import RunDirectory

_Renderer = Callable[["Material"], bytes]


def _html(material: "Material") -> bytes:
    from harness.report.page import render_html

    return render_html(material).encode("utf-8", "backslashreplace")


def _markdown(material: "Material") -> bytes:
    from harness.report.markdown import render_markdown

    return render_markdown(material).encode("utf-8", "backslashreplace")


def _junit(material: "Material") -> bytes:
    from harness.report.junit import render_junit

    return render_junit(material)


def _debrief(material: "Material") -> bytes:
    from harness.report.debrief import render_debrief

    return render_debrief(material).encode("utf-8", "backslashreplace")


FORMATS: Mapping[str, tuple[str, _Renderer]] = {
    "html": ("report.html", _html),
    "md": ("report.md", _markdown),
    "junit": ("junit.xml", _junit),
    "debrief": ("debrief.md", _debrief),
}
"""Name of a format to the file that it is written to and how. Each is imported only when asked for."""


def write_reports(run: "RunDirectory", formats: Sequence[str] | None = None) -> list[Path]:
    """Write the reports of a run and return their paths, in the order of `formats`.

    formats: None for html, md and junit, and a debrief where people watched the run.

    Draws what the verdict and the measurements say and judges nothing; a part that is missing is told in the report.
    Raises ConfigurationError on an unknown format (nothing is written), StorageError where a file cannot be written.
    """
    from harness.report.material import read_material
    from harness.rundir.files import write_whole

    for name in formats or ():
        if name not in FORMATS:
            raise ConfigurationError(f"format {name!r} is unknown; allowed: {', '.join(FORMATS)}{did_you_mean(name, FORMATS)}")
    material = read_material(run)
    if formats is None:
        from harness.report.debrief import was_watched

        formats = ("html", "md", "junit", "debrief") if was_watched(material.journal) else ("html", "md", "junit")
    paths = []
    for name in formats:
        file_name, render = FORMATS[name]
        path = run.path / file_name
        write_whole(path, render(material))
        paths.append(path)
    return paths
