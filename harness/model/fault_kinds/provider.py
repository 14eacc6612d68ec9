"""The frame of a provider fault: what the simulated provider does to the calls that its trigger picks.

In a scenario the trigger stands beside the parameters: `{at: provider.primary, kind: status, code: 429, share: 0.5}`.
No trigger is every call.
"""

from collections.abc import Mapping

from harness.model.fault import ActedBy, FaultKind, Layer, Parameter, Scalar

TRIGGERS: tuple[Parameter, ...] = (
    Parameter(name="share", type=float, doc="on this share of the calls, drawn from the seed", low=0.0, high=1.0),
    Parameter(name="nth", type=int, doc="on the n-th call only", low=1, high=1e9),
    Parameter(name="every_nth", type=int, doc="on every n-th call", low=1, high=1e9),
    Parameter(name="first_n", type=int, doc="on the first n calls, then never again", low=1, high=1e9),
    Parameter(
        name="window_from_ms", type=float, doc="from this long after the fault was applied", unit="ms", low=0, high=86_400_000
    ),
    Parameter(
        name="window_to_ms", type=float, doc="until this long after the fault was applied", unit="ms", low=0, high=86_400_000
    ),
    Parameter(name="only_key", type=str, doc="on calls of the key with this fingerprint (12 hex digits of its sha256)"),
    Parameter(name="only_model", type=str, doc="on calls of this model"),
    Parameter(name="only_header", type=str, doc="on calls with this header: `x-tenant`, or `x-tenant: acme`"),
)
"""Which calls. The `only_` filters choose the calls that count; at most one of share, nth, every_nth, first_n picks."""

RELAYED = frozenset(
    {
        "cut", "error_event", "malformed_json", "missing_done", "outage", "overload", "rate_limit", "slow_first_token",
        "slow_headers", "stall", "status",
    }
)  # fmt: skip
"""What can be done to the calls of a real provider behind a relay: all that does not decide what a model says, or bills."""

COUNTING = ("share", "nth", "every_nth", "first_n")

_TRIGGER_NAMES = frozenset(part.name for part in TRIGGERS)


def provider(kind: str, title: str, *parameters: Parameter) -> FaultKind:
    """Return the specification of a provider fault: its own parameters, then the trigger."""
    return FaultKind(
        kind=kind,
        title=title,
        layer=Layer.PROVIDER,
        places=("provider.*",),
        acted_by=ActedBy.PROVIDER,
        parameters=(*parameters, *TRIGGERS),
    )


def split_trigger(parameters: Mapping[str, Scalar]) -> tuple[dict[str, Scalar], dict[str, Scalar]]:
    """Return (parameters, trigger) as the provider's control port takes them."""
    own = {name: value for name, value in parameters.items() if name not in _TRIGGER_NAMES}
    trigger = {name.removeprefix("only_"): value for name, value in parameters.items() if name in _TRIGGER_NAMES}
    return own, trigger
