"""What a readiness document is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.model.readiness import Readiness
from harness.report.material import Material


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseMaterial:
    """A decided release with what its runs left behind.

    runs: by run id; a run without material is listed without its plots. command: the words that made this document.
    document: `readiness.json` as it is written, byte for byte: what every digest and signature is of.
    """

    readiness: Readiness
    document: bytes
    command: str = ""
    runs: Mapping[str, Material] = field(default_factory=dict)
