"""A fault of the user's own: the commands that a target's description gives it. `faults: {redis-failover: {apply: ...}}`."""

from harness.model.fault import ActedBy, FaultKind, Layer

KIND = FaultKind(
    kind="command",
    title="A fault of the user's own",
    layer=Layer.COMMAND,
    places=("commands.*",),
    acted_by=ActedBy.TARGET,
)
