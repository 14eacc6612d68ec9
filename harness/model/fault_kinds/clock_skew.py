"""A wall clock is wrong: days begin early, keys have expired, what was cached is too old, or comes from the future.

Timers of a process go by the monotonic clock, which nothing here moves.
"""

from harness.model.fault import ActedBy, FaultKind, Layer, Parameter

_MOST_S = 366 * 86_400

KIND = FaultKind(
    kind="clock_skew",
    title="A wall clock is wrong",
    layer=Layer.CLOCK,
    places=("clocks.*",),
    acted_by=ActedBy.TARGET,
    parameters=(
        Parameter(
            name="offset",
            type=int,
            doc="from the true time: 86400 is tomorrow, -3600 an hour ago; at least two seconds, which is what can be seen",
            unit="s",
            low=-_MOST_S,
            high=_MOST_S,
            required=True,
        ),
    ),
)
