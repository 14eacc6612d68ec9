"""A baseline: what a passed run measured, small enough to be committed beside the code."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineShare:
    """One ratio result of the run: `bad` of `n`, worth `n_effective` independent ones."""

    id: str
    phase: str
    bad: int
    n: int
    n_effective: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineMark:
    """How many due requests of a phase were slower than a moment: the upper edge of histogram bucket `bucket`.

    permille: the percentile of the baseline's own run that the bucket holds. above: slower, or not answered.
    """

    phase: str
    permille: int
    bucket: int
    above: int
    n: int
    n_effective: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What later runs of the same configuration are compared with.

    configuration: digest of what must be the same: phases, load, faults and the kind of target; neither the seed nor
    the version, which are what a comparison is about. histograms: phase to the response times of its answered requests
    (`harness.model.histogram`).
    """

    run_id: str
    recorded_at: str
    scenario: str
    configuration: str
    target_kind: str
    target_version: str | None
    harness_version: str
    shares: tuple[BaselineShare, ...]
    marks: tuple[BaselineMark, ...]
    histograms: Mapping[str, Mapping[int, int]]
    schema: str = "harness.baseline/1"
