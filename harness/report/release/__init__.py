"""The readiness document of a release, in every form that people and pipelines read. Nothing is decided here."""

from harness.report.release.looks import DECISIONS, ROWS, headline
from harness.report.release.material import ReleaseMaterial
from harness.report.release.writing import FILE_NAMES, FORMATS, render

__all__ = ["DECISIONS", "FILE_NAMES", "FORMATS", "ROWS", "ReleaseMaterial", "headline", "render"]
