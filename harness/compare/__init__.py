"""Is a run worse than another: differences with intervals, significance and a minimum effect."""

from harness.compare.compare import Comparison, Difference, Finding, compare

__all__ = ["Comparison", "Difference", "Finding", "compare"]
