"""What a plan can break, in words for people: stated by its author, and counted from its faults."""

from collections.abc import Sequence

from harness.model.fault import Fault
from harness.model.units import format_duration


def blast_radius(faults: Sequence[Fault], stated: str | None) -> list[str]:
    """Return the lines that tell a plan's blast radius; empty for a plan without faults.

    stated: what the scenario's author says, None where nothing.
    """
    if not faults:
        return []
    places = list(dict.fromkeys(fault.at for fault in faults))
    most = most_at_once(faults)
    longest_ns = max(fault.clear_ns - fault.apply_ns for fault in faults)
    counted = f"{len(faults)} fault(s) at {', '.join(places)}; {most} at once at most, {format_duration(longest_ns)} the longest"
    lines = [f"blast radius: {counted}"]
    lines += (
        [f"  as its author says: {' '.join(stated.split())}"]
        if stated
        else ["  its author states none: `blast_radius` is missing"]
    )
    return lines


def most_at_once(faults: Sequence[Fault]) -> int:
    """Return the most faults that are in force at one moment; one that ends as another begins does not count with it."""
    return max((sum(each.apply_ns <= fault.apply_ns < each.clear_ns for each in faults) for fault in faults), default=0)
