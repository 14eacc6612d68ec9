"""The frame of a process fault: a signal to one process of the target, and all that it started."""

from harness.model.fault import ActedBy, FaultKind, Layer, Parameter

ENDING_KINDS = frozenset({"kill", "terminate", "restart", "crash_loop"})
"""Those that end a process: only one that can be started again may meet them."""

TREE = Parameter(
    name="tree",
    type=bool,
    doc="also the processes that it started: a database whose parent alone is frozen still answers",
    default=True,
)


def process(kind: str, title: str, *parameters: Parameter) -> FaultKind:
    """Return the specification of a process fault."""
    return FaultKind(
        kind=kind,
        title=title,
        layer=Layer.PROCESS,
        places=("processes.*",),
        acted_by=ActedBy.TARGET,
        parameters=parameters,
    )
