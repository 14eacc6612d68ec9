"""A mergeable histogram of nanoseconds with a relative error of at most 1/64.

Log-linear buckets in the manner of HdrHistogram: values below 64 each have a bucket, above that every power of two
is cut into 32. For live views only; verdicts are judged from raw samples.
"""

from collections import Counter
from collections.abc import Iterable, Mapping


def bucket_of(value_ns: int) -> int:
    """Return the bucket that holds a value; negative values count as 0."""
    if value_ns < 64:
        return max(value_ns, 0)
    shift = value_ns.bit_length() - 6
    return 64 + 32 * (shift - 1) + (value_ns >> shift) - 32


def midpoint_ns(bucket: int) -> int:
    """Return the middle of a bucket, in nanoseconds."""
    if bucket < 64:
        return bucket
    shift, offset = divmod(bucket - 64, 32)
    return ((32 + offset) << (shift + 1)) + (1 << shift)


def merge(parts: Iterable[Mapping[int, int]]) -> Counter[int]:
    """Return the sum of several histograms, `{bucket: count}`."""
    total: Counter[int] = Counter()
    for part in parts:
        total.update(part)
    return total


def quantile_ns(histogram: Mapping[int, int], permille: int) -> int | None:
    """Return the nearest-rank quantile to bucket precision; None where nothing was counted."""
    count = sum(histogram.values())
    if count == 0:
        return None
    rank = max(1, -(-count * permille // 1000))
    for bucket in sorted(histogram):
        rank -= histogram[bucket]
        if rank <= 0:
            return midpoint_ns(bucket)
    raise AssertionError("unreachable: the ranks of a histogram sum to its count")
