"""Two faults that cannot be in force at one place together."""

from harness.model.fault import Fault, Layer
from harness.model.fault_kinds.catalogue import FAULT_KINDS
from harness.model.fault_kinds.checking import complete


def contradiction(first: Fault, second: Fault) -> str | None:
    """Return why the two cannot hold at the same time, or None where they can.

    Says nothing of when they are applied: the caller knows whether they overlap in time.
    """
    if first.at != second.at or first.kind not in FAULT_KINDS or second.kind not in FAULT_KINDS:
        return None
    one, two = FAULT_KINDS[first.kind], FAULT_KINDS[second.kind]
    if one.layer is not two.layer:
        return None
    if one.layer is Layer.PROCESS:
        return f"{first.at} cannot be under {first.kind} and {second.kind} at the same time"
    if one.layer is Layer.PROVIDER:
        same = first.kind == second.kind and dict(first.parameters) == dict(second.parameters)
        return f"{first.at} is already under the same {first.kind}" if same else None
    if "down" in {first.kind, second.kind}:
        other = second.kind if first.kind == "down" else first.kind
        return f"{first.at} is down: a {other} there could not act on anything"
    if first.kind == second.kind and _directions(first) & _directions(second):
        return f"{first.at} is already under a {first.kind} in that direction"
    return None


def _directions(fault: Fault) -> set[str]:
    stream = complete(FAULT_KINDS[fault.kind], fault.parameters)["stream"]
    return {"downstream", "upstream"} if stream == "both" else {str(stream)}
