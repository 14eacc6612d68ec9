"""The frame of a deploy as a fault: what changes while nobody did anything wrong, and users must not notice.

Of targets whose service the harness starts itself, behind a balancer that it can tell how to deal requests.
"""

from harness.model.fault import ActedBy, FaultKind, Layer, Parameter

SERVICE = "deploys.service"

VERSION = Parameter(name="version", type=str, doc="what the other version calls itself", default="next")
DEFECT = Parameter(
    name="defect",
    type=str,
    doc="a planted defect of the other version, by its name in `reference_service/defects`; left out, it is a good one",
)


def deploy(kind: str, title: str, *parameters: Parameter) -> FaultKind:
    """Return the specification of a deploy."""
    return FaultKind(
        kind=kind, title=title, layer=Layer.DEPLOY, places=(SERVICE,), acted_by=ActedBy.TARGET, parameters=parameters
    )
