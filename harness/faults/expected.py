"""What a probe must see once a transport fault is in force, where that shows within a moment."""

from collections.abc import Callable
from dataclasses import dataclass

from harness.faults.probe import Behaviour, Probed
from harness.model.fault import Fault
from harness.model.fault_kinds import FAULT_KINDS, complete
from harness.model.fault_kinds.requests import split_requests

CHECK_FOR_S = 0.02
"""How long silence is watched for at least: an answer takes a millisecond or two without a fault."""

ACCOUNTED_FOR_S = 0.01
"""How long silence is watched for where the proxy's accounts must name a connection too: these are the proof."""

ANSWER_WITHIN_S = 0.2
"""How long an answer is waited for before the fault; how long silence is watched for at most."""

_ENDED = (Behaviour.CLOSED, Behaviour.RESET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What must be seen, within how long a watch. text: for people."""

    text: str
    watch_s: float
    holds: Callable[[Probed], bool]


def expectation(fault: Fault, before: Probed, *, published: bool = False, accounted: bool = False) -> Expectation | None:
    """Return what a probe must see, or None where nothing quick can tell.

    before: how the link behaved without the fault. Where it gave no answer then, only `down` can be told apart; where it
    took its time, silence is watched for four times as long. published: the engine's own proxy accepts first, and ends
    the connection once it finds nobody behind it. accounted: the proxy counts whom a toxic touched, and the caller looks.
    """
    if fault.kind == "down" and published and before.behaviour not in _ENDED:
        return Expectation(
            text="the connection is refused, or ends at once", watch_s=CHECK_FOR_S, holds=_is(Behaviour.REFUSED, *_ENDED)
        )
    if fault.kind in {"down", "ports_exhausted"}:
        return Expectation(text="the connection is refused", watch_s=CHECK_FOR_S, holds=_is(Behaviour.REFUSED))
    if split_requests(fault.parameters)[1]:
        return None  # a probe that met it would be counted among the requests that it picks from
    values = complete(FAULT_KINDS[fault.kind], fault.parameters)
    if before.behaviour is not Behaviour.ANSWERED or values["toxicity"] != 1.0:
        return None
    held_back_ms = _held_back_ms(fault.kind, values)
    if held_back_ms is not None:
        return _silence(held_back_ms, before, accounted=accounted)
    if _ends_at_once(fault.kind, values):
        return Expectation(text="the connection ends without an answer", watch_s=0.5, holds=_is(*_ENDED))
    return None


def _held_back_ms(kind: str, values: dict[str, str | int | float | bool]) -> float | None:
    """Return how long the probe can hear nothing at all; None where that is not how the fault shows."""
    ways = 2 if values["stream"] == "both" else 1
    match kind:
        case "latency":
            return ways * max(0.0, float(values["latency"]) - float(values["jitter"]))
        case "timeout":
            return float(values["timeout"]) or float("inf")
        case "reset_peer" if values["timeout"]:
            return float(values["timeout"])
        case "bandwidth" if values["rate"] == 0:
            return float("inf")
    return None


def _ends_at_once(kind: str, values: dict[str, str | int | float | bool]) -> bool:
    return (kind == "reset_peer" and values["timeout"] == 0) or (kind == "limit_data" and values["bytes"] == 0)


def _silence(held_back_ms: float, before: Probed, *, accounted: bool) -> Expectation | None:
    told_apart_s = ACCOUNTED_FOR_S if accounted else min(max(CHECK_FOR_S, 4 * before.after_ns / 1e9), ANSWER_WITHIN_S)
    watch_s = min(told_apart_s, held_back_ms / 1000)
    if watch_s <= 0.001:
        return None  # too short to be told from no fault
    return Expectation(
        text=f"nothing comes for {watch_s * 1000:.0f} ms",
        watch_s=watch_s,
        # On a busy machine we may wake too late to see the silence: an answer that was late enough says the same.
        holds=lambda seen: seen.behaviour is Behaviour.SILENT or seen.after_ns >= watch_s * 1e9,
    )


def _is(*allowed: Behaviour) -> Callable[[Probed], bool]:
    return lambda seen: seen.behaviour in allowed
