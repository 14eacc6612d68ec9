"""Two faults that cannot be in force at one place together."""

from harness.model.fault import Fault, Layer
from harness.model.fault_kinds.catalogue import FAULT_KINDS
from harness.model.fault_kinds.checking import complete


def contradiction(first: Fault, second: Fault) -> str | None:
    """Return why the two cannot hold at the same time, or None where they can.

    Says nothing of when they are applied: the caller knows whether they overlap in time.
    """
    kinds = FAULT_KINDS.get(first.kind), FAULT_KINDS.get(second.kind)
    if why := _gone(first, second) or _gone(second, first):
        return why
    if why := _deployed(first, second) or _deployed(second, first):
        return why
    if why := _never_asked(first, second) or _never_asked(second, first):
        return why
    if first.at == second.at and {kind.layer for kind in kinds if kind} == {Layer.PROCESS, Layer.RESOURCE}:
        return f"{first.at} cannot be under {first.kind} and {second.kind} at the same time"
    if first.at != second.at or kinds[0] is None or kinds[1] is None or kinds[0].layer is not kinds[1].layer:
        return None
    match kinds[0].layer:
        case Layer.PROCESS:
            return f"{first.at} cannot be under {first.kind} and {second.kind} at the same time"
        case Layer.PROVIDER:
            same = first.kind == second.kind and dict(first.parameters) == dict(second.parameters)
            return f"{first.at} is already under the same {first.kind}" if same else None
        case Layer.TRANSPORT:
            return _on_one_link(first, second)
        case Layer.DEPENDENCY:
            return _at_one_server(first, second)
        case Layer.RESOURCE if first.kind != second.kind:
            return None
        case _:
            return f"{first.at} is already under {first.kind}"


def _gone(process: Fault, other: Fault) -> str | None:
    """Return why a server that is stopped cannot be told to misbehave, nor be asked whether it does."""
    same = process.at.removeprefix("processes.") == other.at.removeprefix("dependencies.")
    if same and process.at.startswith("processes.") and other.at.startswith("dependencies."):
        return f"{other.at} cannot be told {other.kind} while {process.at} is under {process.kind}"
    return None


def _deployed(deploy: Fault, other: Fault) -> str | None:
    """Return why the instances that are being replaced cannot be ended or stopped by somebody else meanwhile."""
    if deploy.kind == "rolling_restart" and other.at.startswith("processes.service-"):
        return f"{other.at} cannot be under {other.kind} while {deploy.at} is under {deploy.kind}"
    return None


def _never_asked(gone: Fault, other: Fault) -> str | None:
    """Return why no call gets to a provider's fault, or nobody can tell the provider of it."""
    kind = FAULT_KINDS.get(other.kind)
    if kind is None or kind.layer is not Layer.PROVIDER:
        return None
    if gone.kind == "down" and gone.at == other.at:
        return f"a {other.kind} at {other.at} could not act on anything while the link is down"
    stops = FAULT_KINDS.get(gone.kind)
    if gone.at == "processes.provider" and stops is not None and stops.layer is Layer.PROCESS:
        return f"{other.at} cannot be told {other.kind} while {gone.at} is under {gone.kind}"
    return None


def _at_one_server(first: Fault, second: Fault) -> str | None:
    demoting = {"read_only", "failover"}
    if first.kind == second.kind or {first.kind, second.kind} == demoting:
        return f"{first.at} is already under {first.kind}"
    if "connections_exhausted" in {first.kind, second.kind}:
        return f"{first.at} has no connection left to tell it anything while its connections are exhausted"
    if {first.kind, second.kind} == {"slow_disk", "read_only"}:
        return f"{first.at} writes nothing while it is read-only, so nobody could see that its disk is slow"
    if "flush" in {first.kind, second.kind} and demoting & {first.kind, second.kind}:
        return f"{first.at} takes no flush while it is no primary"
    return None


def _on_one_link(first: Fault, second: Fault) -> str | None:
    if "down" in {first.kind, second.kind}:
        other = second.kind if first.kind == "down" else first.kind
        return f"a {other} at {first.at} could not act on anything while the link is down"
    if "ports_exhausted" in {first.kind, second.kind}:
        return f"a {first.kind} and a {second.kind} at {first.at} could not be told apart while no new connection gets through"
    if first.kind == second.kind and _directions(first) & _directions(second):
        return f"{first.at} is already under a {first.kind} in that direction"
    return None


def _directions(fault: Fault) -> set[str]:
    stream = complete(FAULT_KINDS[fault.kind], fault.parameters)["stream"]
    return {"downstream", "upstream"} if stream == "both" else {str(stream)}
