"""Arrival processes: from segments and a seed to intended nanoseconds, before anything is sent.

A schedule belongs to the run, not to a worker: worker i of n takes the arrivals k with k mod n = i of this one list, so
that the number of workers changes nothing. (Workers with generators of their own add up to something that is no longer
the process that was asked for.)
"""

from harness.arrivals.processes import Arrivals, arrivals_of, expected_between, expected_count, intended_ns
from harness.arrivals.rates import peak_rps

__all__ = ["Arrivals", "arrivals_of", "expected_between", "expected_count", "intended_ns", "peak_rps"]
