"""When the steps of a check happen, and who asks: what most planners need."""

from collections.abc import Mapping
from typing import Any

from harness.model.fault import Parameter, Scalar
from harness.model.plan import Phase
from harness.model.units import format_duration, parse_duration_ns

S = 1_000_000_000
MS = 1_000_000

AT = Parameter(name="at", type=str, doc="when it begins, from the start of the phase: a duration", default="1s")


def start_of(values: Mapping[str, Scalar], phase: Phase, *, lasts_ns: int) -> int:
    """Return when a check begins. Raises ValueError where its steps do not fit in the phase."""
    offset_ns = parse_duration_ns(values["at"])
    length_ns = phase.end_ns - phase.start_ns
    if offset_ns >= length_ns:
        raise ValueError(f"`at` is {values['at']}, but phase {phase.name!r} lasts {format_duration(length_ns)} only")
    if offset_ns + lasts_ns > length_ns:
        needed = format_duration(offset_ns + lasts_ns)
        raise ValueError(
            f"its steps end {needed} after the start of phase {phase.name!r}, which lasts {format_duration(length_ns)}"
        )
    return phase.start_ns + offset_ns


def chat(prompt: str, **further: Any) -> str:
    """Return the body of a chat request."""
    import json

    return json.dumps({"messages": [{"role": "user", "content": prompt}], **further})
