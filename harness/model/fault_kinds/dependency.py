"""The frame of a dependency fault: what only the store or the database itself can do to those who use it.

A dependency that is down, frozen or slow has no kind of its own here: that is `kill`, `freeze` or `terminate` at
`processes.NAME`, and `latency`, `timeout` or `down` at `links.NAME`.
"""

from harness.model.fault import ActedBy, FaultKind, Layer, Parameter

STORE = "dependencies.redis"
DATABASE = "dependencies.postgres"


def dependency(kind: str, title: str, *parameters: Parameter, places: tuple[str, ...]) -> FaultKind:
    """Return the specification of a dependency fault."""
    return FaultKind(
        kind=kind, title=title, layer=Layer.DEPENDENCY, places=places, acted_by=ActedBy.TARGET, parameters=parameters
    )
