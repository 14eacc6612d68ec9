"""The frame of a container fault: what only a container engine can do to a part of the target."""

from harness.model.fault import ActedBy, FaultKind, Layer, Parameter


def container(kind: str, title: str, *parameters: Parameter) -> FaultKind:
    """Return the specification of a container fault; only targets in containers have such places."""
    return FaultKind(
        kind=kind,
        title=title,
        layer=Layer.PROCESS,
        places=("containers.*",),
        acted_by=ActedBy.TARGET,
        parameters=parameters,
    )
