"""A comparison as a page, from the two run directories."""

from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.compared_text import rows_of, sentence_of

if TYPE_CHECKING:
    from harness.compare.compare import Comparison


def compared_page(comparison: "Comparison", base: Path, new: Path) -> str:
    """Return the page. base, new: the run directories, whose distributions are drawn where they are there."""
    from harness.report.comparison import ComparedRuns, render_comparison
    from harness.report.material import read_material
    from harness.rundir import RunDirectory

    told = sentence_of(comparison)
    return render_comparison(
        ComparedRuns(
            base=comparison.base,
            new=comparison.new,
            base_version=comparison.base_version or "unknown",
            new_version=comparison.new_version or "unknown",
            finding=comparison.finding.value,
            sentence=f"{told[:1].upper()}{told[1:]}.",
            rows=rows_of(comparison),
            notes=comparison.notes,
            cdf_base=read_material(RunDirectory.open(base)).cdf,
            cdf_new=read_material(RunDirectory.open(new)).cdf,
        )
    )
