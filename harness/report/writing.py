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


FORMATS: Mapping[str, tuple[str, _Renderer]] = {
    "html": ("report.html", _html),
    "md": ("report.md", _markdown),
    "junit": ("junit.xml", _junit),
}
"""Name of a format to the file that it is written to and how. Each is imported only when asked for."""


def write_reports(run: "RunDirectory", formats: Sequence[str] = ("html", "md", "junit")) -> list[Path]:
    """Write the reports of a run and return their paths, in the order of `formats`.

    Draws what the verdict and the measurements say and judges nothing; a part that is missing is told in the report.
    Raises ConfigurationError on an unknown format (nothing is written), StorageError where a file cannot be written.
    """
    from harness.report.material import read_material
    from harness.rundir.files import write_whole

    for name in formats:
        if name not in FORMATS:
            raise ConfigurationError(f"format {name!r} is unknown; allowed: {', '.join(FORMATS)}{did_you_mean(name, FORMATS)}")
    material = read_material(run)
    paths = []
    for name in formats:
        file_name, render = FORMATS[name]
        path = run.path / file_name
        write_whole(path, render(material))
        paths.append(path)
    return paths
