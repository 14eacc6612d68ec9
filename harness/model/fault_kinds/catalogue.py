"""Every kind of fault by its name in a scenario."""

from harness.model.fault import FaultKind
from harness.model.fault_kinds import (
    bandwidth,
    down,
    freeze,
    kill,
    latency,
    limit_data,
    reset_peer,
    restart,
    slicer,
    slow_close,
    terminate,
    timeout,
)

FAULT_KINDS: dict[str, FaultKind] = {
    module.KIND.kind: module.KIND
    for module in (
        # transport, by a Toxiproxy
        latency,
        bandwidth,
        slow_close,
        timeout,
        reset_peer,
        slicer,
        limit_data,
        down,
        # processes, by signals
        kill,
        terminate,
        freeze,
        restart,
    )
}
"""A test holds this list and the files of this folder together."""
