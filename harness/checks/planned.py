"""When the steps of a check happen, and who asks: what most planners need."""

from collections.abc import Mapping
from typing import Any

from harness.model.check import CheckSteps
from harness.model.fault import Parameter, Scalar
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import EVERY_INSTANCE, MadePrincipal, Probe
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


def reading_of_metrics(check: PlannedCheck, *, name: str, at_ns: int, **further: Any) -> Probe:
    """Return a probe that reads what each instance exposes, whole."""
    return Probe(
        check_id=check.id,
        name=name,
        at_ns=at_ns,
        method="GET",
        path="@metrics",
        instance=EVERY_INSTANCE,
        chat=False,
        keep_bytes=400_000,
        **further,
    )


def greetings_of_strangers(
    check: PlannedCheck, phase: Phase, values: Mapping[str, Scalar], *, who: str, users: int, every_ns: int
) -> CheckSteps:
    """Return a greeting, `asked-N`, of each of a few users whom no instance has met, to every instance, past the balancer.

    who: what their names begin with. Raises ValueError where it does not fit in the phase.
    """
    t = start_of(values, phase, lasts_ns=users * every_ns + 2 * S)
    names = [f"{who}-{check.id}-{n}" for n in range(users)]
    return CheckSteps(
        probes=tuple(
            Probe(
                check_id=check.id,
                name=f"asked-{n}",
                at_ns=t + n * every_ns,
                principal=name,
                body=chat("Hello!"),
                instance=EVERY_INSTANCE,
                lane=f"{check.id}-{n}",
            )
            for n, name in enumerate(names)
        ),
        principals=tuple(MadePrincipal(name=name) for name in names),
    )
