"""Faults that a Redis or Valkey does to its users itself. Its own error counters prove that they acted."""

from dataclasses import dataclass

from harness.errors import FaultError
from harness.faults.guardian.undo import StoreStep
from harness.faults.resp import Store, StoreError
from harness.model.fault import Fault
from harness.model.target import Dependency

_NOBODY = ("127.0.0.1", "1")
"""Where no primary is: a server that follows it keeps its data and is one that was demoted."""

_REFUSALS = {"read_only": ("READONLY",), "failover": ("READONLY", "MASTERDOWN"), "out_of_memory": ("OOM",)}
"""The errors that each is known by; a server between two primaries says one to writes and the other to reads."""
_PROBE = "harness-fault-probe"


@dataclass(slots=True)
class _Count:
    """What the server had counted when the fault was confirmed, and what else is known to have been touched."""

    errors: int = 0
    touched: int = 0


class StoreFaults:
    """The faults of one store. Every method raises FaultError."""

    def __init__(self, dependency: Dependency) -> None:
        self._dependency = dependency
        self._counts: dict[str, _Count] = {}

    def undo_steps(self, fault: Fault) -> tuple[StoreStep, ...]:
        """Return what restores the settings of now."""
        with self._open() as store:
            if fault.kind != "flush" and store.info("replication").get("role") != "master":
                raise FaultError(f"{fault.id}: {fault.at} is no primary before any fault is applied")
            match fault.kind:
                case "read_only":
                    commands: list[tuple[str, ...]] = [("REPLICAOF", "NO", "ONE")]
                case "failover":
                    stale = ("CONFIG", "SET", "replica-serve-stale-data", store.setting("replica-serve-stale-data"))
                    commands = [("REPLICAOF", "NO", "ONE"), stale]
                case "out_of_memory":
                    names = ("maxmemory", "maxmemory-policy")
                    commands = [("CONFIG", "SET", name, store.setting(name)) for name in names]
                case _:
                    return ()
        dependency = self._dependency
        return (StoreStep(address=dependency.address, password=dependency.password, commands=tuple(commands)),)

    def apply(self, fault: Fault) -> None:
        """Do it."""
        with self._open() as store:
            count = self._counts[fault.id] = _Count()
            match fault.kind:
                case "read_only":
                    store.call("REPLICAOF", *_NOBODY)
                case "failover":
                    store.call("CONFIG", "SET", "replica-serve-stale-data", "no")
                    store.call("REPLICAOF", *_NOBODY)
                    count.touched = int(str(store.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")))
                case "out_of_memory":
                    store.call("CONFIG", "SET", "maxmemory-policy", "noeviction")
                    store.call("CONFIG", "SET", "maxmemory", 1)
                case "flush":
                    count.touched = int(str(store.call("DBSIZE")))
                    store.call("SET", _PROBE, "there", "PX", 60_000)
                    store.call("FLUSHALL", "SYNC")

    def confirm(self, fault: Fault) -> None:
        """See a write of our own refused, or the key gone that was there."""
        with self._open() as store:
            if fault.kind == "flush":
                if store.call("GET", _PROBE) is not None:
                    raise FaultError(f"{fault.id}: {fault.at} still has its keys after it was flushed")
                return
            if not _refuses(store, fault.kind):
                raise FaultError(f"{fault.id}: {fault.at} still takes writes under {fault.kind}")
            self._counts[fault.id].errors = _errors(store, fault.kind)

    def in_force(self, fault: Fault) -> bool:
        """Return whether the server still stands as it was put; its counters are not touched by the question."""
        with self._open() as store:
            match fault.kind:
                case "read_only" | "failover":
                    return store.info("replication").get("role") == "slave"
                case "out_of_memory":
                    return store.setting("maxmemory") == "1"
        return True

    def clear(self, fault: Fault, steps: tuple[StoreStep, ...]) -> None:
        """Restore the settings; nothing where it was never applied."""
        count = self._counts.get(fault.id)
        if count is None:
            return
        with self._open() as store:
            if fault.kind != "flush":
                count.touched += max(0, _errors(store, fault.kind) - count.errors)
            for step in steps:
                for command in step.commands:
                    store.call(*command)

    def prove_clear(self, fault: Fault) -> None:
        """See a write of our own taken."""
        if fault.id not in self._counts:
            return
        with self._open() as store:
            try:
                store.call("SET", _PROBE, "there", "PX", 1000)
                store.call("DEL", _PROBE)
            except StoreError as error:
                by_hand = "; ".join(" ".join(command) for step in self.undo_by_hand(fault) for command in step)
                raise FaultError(f"{fault.id}: {fault.at} still refuses writes: {error}", advice=f"by hand: {by_hand}") from error

    def acted(self, fault: Fault) -> int | None:
        """Return how many commands were refused and connections cut, or keys forgotten; None where it was never applied."""
        count = self._counts.pop(fault.id, None)
        return None if count is None else count.touched

    @staticmethod
    def undo_by_hand(fault: Fault) -> list[tuple[str, ...]]:
        """Return what a person types."""
        if fault.kind == "out_of_memory":
            return [("CONFIG", "SET", "maxmemory", "0")]
        return [("REPLICAOF", "NO", "ONE"), ("CONFIG", "SET", "replica-serve-stale-data", "yes")]

    def _open(self) -> Store:
        return Store(self._dependency.address, self._dependency.password)


def _refuses(store: Store, kind: str) -> bool:
    try:
        if kind == "failover":
            store.call("GET", _PROBE)
        else:
            store.call("SET", _PROBE, "there", "PX", 1000)
            store.call("DEL", _PROBE)
    except StoreError as error:
        return error.code == _REFUSALS[kind][-1]
    return False


def _errors(store: Store, kind: str) -> int:
    found = store.info("errorstats")
    return sum(int(found.get(f"errorstat_{name}", "count=0").removeprefix("count=")) for name in _REFUSALS[kind])
