"""Every kind of fault by its name in a scenario."""

from collections.abc import Iterable

from harness.errors import ConfigurationError
from harness.model.fault import FaultKind
from harness.model.fault_kinds import (
    bandwidth,
    blue_green,
    brown_out,
    canary,
    clock_skew,
    command,
    connections_exhausted,
    corrupt,
    cpu_burn,
    cpu_limit,
    crash_loop,
    cut,
    disconnect,
    disk_full,
    down,
    duplicate_chunks,
    empty_choices,
    error_event,
    failover,
    file_descriptors,
    flush,
    freeze,
    huge_answer,
    inject,
    kill,
    latency,
    leak_pii,
    limit_data,
    lock,
    loss,
    malformed_json,
    memory_ceiling,
    memory_fill,
    memory_limit,
    missing_done,
    missing_usage,
    no_names,
    out_of_memory,
    outage,
    overload,
    ports_exhausted,
    rate_limit,
    read_only,
    refuse_content,
    reset_peer,
    restart,
    rolling_restart,
    slicer,
    slow_close,
    slow_disk,
    slow_first_token,
    slow_headers,
    stall,
    starve,
    status,
    terminate,
    timeout,
    usage_above,
    wrong_content_type,
    wrong_model,
    wrong_usage,
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
        corrupt,
        loss,
        down,
        ports_exhausted,
        # HTTP, stream and payload, by the simulated provider
        brown_out,
        cut,
        duplicate_chunks,
        empty_choices,
        error_event,
        huge_answer,
        inject,
        leak_pii,
        malformed_json,
        missing_done,
        missing_usage,
        outage,
        overload,
        rate_limit,
        refuse_content,
        slow_first_token,
        slow_headers,
        stall,
        status,
        usage_above,
        wrong_content_type,
        wrong_model,
        wrong_usage,
        # processes, by signals
        kill,
        terminate,
        freeze,
        restart,
        # containers, by their engine
        cpu_limit,
        memory_limit,
        disconnect,
        no_names,
        # dependencies, by the store or the database itself
        read_only,
        out_of_memory,
        flush,
        failover,
        connections_exhausted,
        lock,
        slow_disk,
        # deploys, by starting another version
        rolling_restart,
        blue_green,
        canary,
        # crash loops, resources of a process and of the machine, the user's own
        crash_loop,
        starve,
        file_descriptors,
        memory_ceiling,
        cpu_burn,
        memory_fill,
        disk_full,
        clock_skew,
        command,
    )
}
"""A test holds this list and the files of this folder together; only `adopt` adds to it, what plug-ins bring."""

OWN_PLACES = "plugins."
"""How the places begin that a plug-in brings with its kind of fault, where no place of the target is its own."""


def adopt(kinds: Iterable[FaultKind]) -> None:
    """Make the kinds of plug-ins known for the life of this process; the same kind of the same source again is no clash.

    Raises ConfigurationError where the name belongs to somebody else.
    """
    for kind in kinds:
        known = FAULT_KINDS.get(kind.kind)
        if known is not None and (known.source is None or known.source != kind.source):
            whose = "the harness" if known.source is None else known.source
            raise ConfigurationError(
                f"{kind.source}: a kind of fault called {kind.kind!r} is there already, of {whose}",
                advice="give yours another name",
            )
        FAULT_KINDS[kind.kind] = kind


def own_places() -> frozenset[str]:
    """Return the places that kinds of plug-ins brought with them."""
    return frozenset(place for kind in FAULT_KINDS.values() for place in kind.places if place.startswith(OWN_PLACES))
