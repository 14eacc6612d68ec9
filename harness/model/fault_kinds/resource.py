"""The frame of a resource fault: something that a process needs runs short. All of them are bounded."""

from harness.model.fault import ActedBy, FaultKind, Layer, Parameter

HOST = "host"
"""The machine that the target runs on, where that is this one: our own load suffers with it."""


def resource(kind: str, title: str, *parameters: Parameter, places: tuple[str, ...] = ("processes.*",)) -> FaultKind:
    """Return the specification of a resource fault; by default of one process."""
    return FaultKind(kind=kind, title=title, layer=Layer.RESOURCE, places=places, acted_by=ActedBy.TARGET, parameters=parameters)
