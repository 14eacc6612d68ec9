"""A provider that serves so many calls in a while, as one does that has sold a rate.

Serves `calls` in each window of `window_s`, the first of which begins with the first call, and refuses the rest with 429
until the next begins. Acted: refused.
"""

from harness.model.fault import Parameter
from harness.model.fault_kinds.provider import provider

KIND = provider(
    "rate_limit",
    "A provider that serves so many calls in a while",
    Parameter(name="calls", type=int, doc="served in each window", unit="calls", low=0, high=1_000_000, default=10),
    Parameter(name="window_s", type=float, doc="the window", unit="s", low=0.1, high=86_400, default=10.0),
    Parameter(name="retry_after", type=bool, doc="say in whole seconds, rounded up, when the next window begins", default=True),
)
