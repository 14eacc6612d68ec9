"""Two faults that cannot be in force at one place together."""

from harness.model.fault import Fault, Layer
from harness.model.fault_kinds.catalogue import FAULT_KINDS
from harness.model.fault_kinds.checking import complete


def contradiction(first: Fault, second: Fault) -> str | None:
    """Return why the two cannot hold at the same time, or None where they can.

    Says nothing of when they are applied: the caller knows whether they overlap in time.
    """
    kinds = FAULT_KINDS.get(first.kind), FAULT_KINDS.get(second.kind)
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


def _on_one_link(first: Fault, second: Fault) -> str | None:
    if "down" in {first.kind, second.kind}:
        other = second.kind if first.kind == "down" else first.kind
        return f"a {other} at {first.at} could not act on anything while the link is down"
    if first.kind == second.kind and _directions(first) & _directions(second):
        return f"{first.at} is already under a {first.kind} in that direction"
    return None


def _directions(fault: Fault) -> set[str]:
    stream = complete(FAULT_KINDS[fault.kind], fault.parameters)["stream"]
    return {"downstream", "upstream"} if stream == "both" else {str(stream)}
