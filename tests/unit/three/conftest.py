"""The runs of the tables stand with the tests of their rooms."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / room) for room in ("judge", "checks", "extensions")]
