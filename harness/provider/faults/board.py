"""The faults in force, by id: set, cleared, counted, and let fall when their owner's lease ends."""

import asyncio
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from harness.errors import did_you_mean
from harness.model.fault import Scalar
from harness.model.fault_kinds.provider import RELAYED
from harness.provider.faults import KINDS
from harness.provider.faults.base import FaultSpec, ProviderFault
from harness.provider.faults.checking import RejectedError, checked
from harness.provider.faults.outage import Outage
from harness.provider.faults.trigger import Asked, Trigger

MAX_CLEARED = 1_000
MAX_FAULTS = 1_000
_FIELDS = ("id", "endpoint", "kind", "parameters", "trigger", "seed")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultView:
    """A fault as `GET /faults` shows it. cleared_by: None while in force, else `request`, `replaced` or `lease`."""

    id: str
    endpoint: str
    kind: str
    parameters: Mapping[str, Scalar]
    trigger: Mapping[str, Scalar]
    seed: int
    acted: int
    held: int
    cleared_by: str | None


class Board:
    """All faults of all endpoints. They meet a call in the order in which they were set."""

    def __init__(self, endpoints: tuple[str, ...], *, seed: int, relayed: Collection[str] = ()) -> None:
        """relayed: the endpoints before a real provider, which take the kinds of `RELAYED` only."""
        self._endpoints = endpoints
        self._relayed = frozenset(relayed)
        self._seed = seed
        self._faults: dict[str, ProviderFault] = {}
        self._cleared: deque[tuple[ProviderFault, str]] = deque(maxlen=MAX_CLEARED)
        self._lease: asyncio.TimerHandle | None = None

    def set(self, given: Mapping[str, object], now_ns: int) -> FaultView:
        """Put a fault in force, in place of the one with its id; the same again changes nothing. Raises RejectedError."""
        spec, trigger = self._checked(given, now_ns)
        present = self._faults.get(spec.id)
        if present is not None and present.spec == spec:
            return _view(present, None)
        if present is None and len(self._faults) >= MAX_FAULTS:
            raise RejectedError(f"{MAX_FAULTS} faults are in force already; clear some")
        if present is not None:
            self._clear(present, "replaced")
        self._faults[spec.id] = KINDS[spec.kind](spec, trigger)
        return _view(self._faults[spec.id], None)

    def clear(self, fault_id: str | None = None, *, by: str = "request") -> list[FaultView]:
        """Lift one fault, or all; return them with their final counts. Raises KeyError for an unknown id."""
        found = list(self._faults.values()) if fault_id is None else [self._faults[fault_id]]
        # In reverse order, as faults are cleared everywhere.
        return [self._clear(fault, by) for fault in reversed(found)]

    def reset(self) -> None:
        """Lift all faults and forget them and the lease."""
        self.clear()
        self._cleared.clear()
        self.end_lease()

    def in_force(self) -> list[FaultView]:
        """Return the faults in force, with live counts."""
        return [_view(fault, None) for fault in self._faults.values()]

    def cleared(self) -> list[FaultView]:
        """Return the last MAX_CLEARED cleared faults, with their final counts."""
        return [_view(fault, by) for fault, by in self._cleared]

    def triggered(self, endpoint: str, asked: Asked) -> list[ProviderFault]:
        """Return the faults whose trigger fires for a call; each counts it."""
        return [fault for fault in self._faults.values() if fault.spec.endpoint == endpoint and fault.trigger.fires(asked)]

    def outages(self, endpoint: str, asked: Asked) -> list[Outage]:
        """Return the outages that a request runs into which is no call; other kinds neither act on it nor count it."""
        found = [fault for fault in self._faults.values() if isinstance(fault, Outage) and fault.spec.endpoint == endpoint]
        return [fault for fault in found if fault.trigger.fires(asked)]

    def lease(self, seconds: float) -> None:
        """Let all faults fall away unless this is called again within `seconds`."""
        self.end_lease()
        self._lease = asyncio.get_running_loop().call_later(seconds, self._lapse)

    def end_lease(self) -> None:
        """Let faults stay until they are cleared."""
        if self._lease is not None:
            self._lease.cancel()
            self._lease = None

    def _lapse(self) -> None:
        self._lease = None
        self.clear(by="lease")

    def _clear(self, fault: ProviderFault, by: str) -> FaultView:
        del self._faults[fault.spec.id]
        self._cleared.append((fault, by))
        fault.lift()
        return _view(fault, by)

    def _checked(self, given: Mapping[str, object], now_ns: int) -> tuple[FaultSpec, Trigger]:
        for name in given:
            if name not in _FIELDS:
                raise RejectedError(f"{name:.80} is unknown; allowed: {', '.join(_FIELDS)}{did_you_mean(name, _FIELDS)}")
        fault_id = given.get("id")
        if not isinstance(fault_id, str) or not 0 < len(fault_id) <= 200:
            raise RejectedError(f"id is {fault_id!r:.80}; allowed: text of 1 to 200 characters")
        endpoint = _one_of("endpoint", given.get("endpoint"), self._endpoints)
        kinds = tuple(kind for kind in KINDS if kind in RELAYED) if endpoint in self._relayed else tuple(KINDS)
        kind = _one_of("kind", given.get("kind"), kinds)
        seed = given.get("seed", 0)
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise RejectedError(f"seed is {seed!r:.80}; allowed: an integer")
        parameters = checked(_mapping(given, "parameters"), KINDS[kind].PARAMETERS, "parameters")
        trigger = Trigger(_mapping(given, "trigger"), seed=self._seed * 1_000_003 + seed, set_ns=now_ns)
        spec = FaultSpec(id=fault_id, endpoint=endpoint, kind=kind, parameters=parameters, trigger=trigger.values, seed=seed)
        return spec, trigger


def _one_of(name: str, given: object, allowed: tuple[str, ...]) -> str:
    if isinstance(given, str) and given in allowed:
        return given
    hint = did_you_mean(given, allowed) if isinstance(given, str) else ""
    raise RejectedError(f"{name} is {given!r:.80}; allowed: {', '.join(allowed)}{hint}")


def _mapping(given: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = given.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RejectedError(f"{name} is {value!r:.80}; allowed: an object")
    return value


def _view(fault: ProviderFault, cleared_by: str | None) -> FaultView:
    spec = fault.spec
    return FaultView(
        id=spec.id,
        endpoint=spec.endpoint,
        kind=spec.kind,
        parameters=spec.parameters,
        trigger=spec.trigger,
        seed=spec.seed,
        acted=fault.acted,
        held=len(fault.held),
        cleared_by=cleared_by,
    )
