"""The timeline as arrays to draw: as it is, or thinned where there are more seconds than a plot has points for."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.report.material import COUNTS, SOURCES

Array = npt.NDArray[np.float64]

_MOST_POINTS = 360


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A run over time.

    edges_s: n + 1 edges of the n points; step_s: seconds in one point.
    rates: count to its mean per second in each point. levels: the other columns, the worst (greatest) second of each
    point, NaN where there was none.
    """

    edges_s: Array
    step_s: int
    rates: Mapping[str, Array]
    levels: Mapping[str, Array]

    @property
    def middles_s(self) -> Array:
        """The middle of each point."""
        return (self.edges_s[:-1] + self.edges_s[1:]) / 2

    @property
    def per(self) -> str:
        """What one point stands for, for a reading: empty for one second."""
        return "" if self.step_s == 1 else f" Each point is the worst second of {self.step_s}."


def read_series(timeline: pa.Table) -> Series | None:
    """Return the series of `measurements/timeline.parquet`; None where it has no row."""
    rows = timeline.num_rows
    if rows == 0:
        return None
    step = -(-rows // _MOST_POINTS)
    points = -(-rows // step)
    start_s = _column(timeline, "t_s")
    edges_s = np.append(start_s[::step], start_s[-1] + 1)

    def folded(name: str) -> Array:
        padded = np.full(points * step, np.nan)
        padded[:rows] = _column(timeline, name)
        return padded.reshape(points, step)

    names = [name for name in timeline.column_names if name not in ("t_s", "phase", *COUNTS, *SOURCES)]
    return Series(
        edges_s=edges_s,
        step_s=step,
        rates={name: np.nansum(folded(name), axis=1) / np.diff(edges_s) for name in (*COUNTS, *SOURCES)},
        levels={name: _worst(folded(name)) for name in names},
    )


def _column(timeline: pa.Table, name: str) -> Array:
    return np.asarray(timeline[name].cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def _worst(folded: Array) -> Array:
    filled = np.where(np.isnan(folded), -np.inf, folded).max(axis=1)
    return np.where(np.isinf(filled), np.nan, filled)
