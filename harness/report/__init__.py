"""Verdict and measurements to files that people and pipelines read. Formatting only: nothing is judged here."""

from harness.report.visible import harmless, visible
from harness.report.wording import LOOKS, Look, asked, found, how_to_repeat, sentence
from harness.report.writing import FORMATS, write_reports

__all__ = ["FORMATS", "LOOKS", "Look", "asked", "found", "harmless", "how_to_repeat", "sentence", "visible", "write_reports"]
