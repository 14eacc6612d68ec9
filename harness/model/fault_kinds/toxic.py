"""The frame of a transport fault: a Toxiproxy toxic on a link, in one direction or both."""

from harness.model.fault import ActedBy, FaultKind, Layer, Parameter
from harness.model.fault_kinds.requests import REQUEST_TRIGGERS

LINKS = ("provider.*", "links.*")
"""Where a transport fault may act: every connection of the target that runs through a Toxiproxy."""

LONGEST_MS = 3_600_000
"""One hour: longer than any phase, and far from what overflows a timer."""

TOXICITY = Parameter(
    name="toxicity",
    type=float,
    doc="share of connections that are touched, rolled once for each connection and direction",
    low=0.0,
    high=1.0,
    default=1.0,
)


def stream(default: str) -> Parameter:
    """Return the direction parameter. `both` adds the toxic once in each direction."""
    return Parameter(
        name="stream",
        type=str,
        doc="downstream: what the link's server answers; upstream: what the client sends; both: one toxic in each",
        default=default,
        choices=("downstream", "upstream", "both"),
    )


def toxic(kind: str, title: str, *parameters: Parameter, default_stream: str = "downstream") -> FaultKind:
    """Return the specification of a toxic: its own parameters by Toxiproxy's names, stream and toxicity, then the trigger."""
    return FaultKind(
        kind=kind,
        title=title,
        layer=Layer.TRANSPORT,
        places=LINKS,
        acted_by=ActedBy.PROXY,
        parameters=(*parameters, stream(default_stream), TOXICITY, *REQUEST_TRIGGERS),
    )
