"""Faults that a PostgreSQL does to its users itself, by its own settings, its own locks and its own limit of connections.

What is held by connections of ours (locks, connections) falls when they end, and the server ends them itself when they
are silent for as long as the lease: no undo list is needed for them.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from harness.errors import FaultError
from harness.faults.database_connection import LOCKED, NAME, READ_ONLY, TOO_MANY
from harness.faults.database_session import DatabaseSession
from harness.faults.database_tables import chosen_tables
from harness.faults.guardian.undo import DatabaseStep
from harness.faults.log_tail import LogTail
from harness.model.fault import Fault, Scalar
from harness.model.fault_kinds import FAULT_KINDS, complete
from harness.model.target import Dependency

_WATCH_EVERY_S = 0.1
_OURS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()"
_HELD = "SELECT count(*) FROM pg_locks WHERE pid = $1 AND mode = 'AccessExclusiveLock' AND granted"
_CUT = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND application_name <> $1"""
_SETTING = "default_transaction_read_only"
_RESET = (f"ALTER SYSTEM RESET {_SETTING}", "SELECT pg_reload_conf()")
_TELLING = {
    "read_only": ("in a read-only transaction",),
    "connections_exhausted": ("too many clients already", "remaining connection slots are reserved"),
}
"""What the server writes each time that it refuses somebody."""


@dataclass(slots=True, kw_only=True)
class _Hold:
    """What a fault holds, and what is known of whom it touched. own: refusals that our own probes provoked."""

    log: LogTail
    connections: list[Any] = field(default_factory=list)
    watch: "asyncio.Task[None] | None" = None
    waited: set[tuple[int, str]] = field(default_factory=set)
    cut: int = 0
    own: int = 0


class DatabaseFaults:
    """The faults of one database. Every method raises FaultError."""

    def __init__(self, dependency: Dependency) -> None:
        self._dependency = dependency
        self._session = DatabaseSession(dependency)
        self._holds: dict[str, _Hold] = {}

    def undo_steps(self, fault: Fault) -> tuple[DatabaseStep, ...]:
        """Return what restores the setting; what connections hold falls with them."""
        if fault.kind != "read_only":
            return ()
        if self._do(fault, self._session.ask(f"SHOW {_SETTING}")) != "off":
            raise FaultError(f"{fault.id}: {fault.at} is read-only before any fault is applied")
        return (self._session.undo_step(_RESET),)

    def apply(self, fault: Fault, lease_s: float) -> None:
        """Do it."""
        values = complete(FAULT_KINDS[fault.kind], fault.parameters)
        hold = self._holds[fault.id] = _Hold(log=LogTail(self._dependency.log, _TELLING.get(fault.kind, ())))
        match fault.kind:
            case "read_only":
                self._do(fault, self._session.execute(f"ALTER SYSTEM SET {_SETTING} = on", "SELECT pg_reload_conf()"))
            case "lock":
                self._do(fault, self._lock(hold, str(values["table"]), lease_s))
            case "connections_exhausted":
                self._do(fault, self._exhaust(fault, hold, values, lease_s), within_s=15.0)

    def confirm(self, fault: Fault) -> None:
        """See a write refused, a lock not given, a connection refused: each on a connection of our own."""
        if not self._do(fault, self._seen(fault)):
            raise FaultError(f"{fault.id}: {fault.at} does not show {fault.kind}")

    def in_force(self, fault: Fault) -> bool:
        """Return whether it is still so."""
        return bool(self._do(fault, self._seen(fault)))

    def clear(self, fault: Fault) -> None:
        """Let go of what is held; restore the setting."""
        hold = self._holds.get(fault.id)
        if hold is None:
            return
        if fault.kind == "read_only":
            self._do(fault, self._session.execute(*_RESET))
        else:
            self._do(fault, _let_go(hold))

    def prove_clear(self, fault: Fault) -> None:
        """See a write taken, a lock given, a connection accepted."""
        if fault.id in self._holds and not self._do(fault, self._gone(fault)):
            by_hand = "; ".join(_RESET) if fault.kind == "read_only" else f"end the connections named {NAME}"
            raise FaultError(f"{fault.id}: {fault.at} still shows {fault.kind}", advice=f"by hand: {by_hand}")

    def acted(self, fault: Fault) -> int | None:
        """Return how many statements or connections were refused, kept waiting or cut; None where no log can tell."""
        hold = self._holds.pop(fault.id, None)
        if hold is None:
            return None
        if fault.kind == "lock":
            return len(hold.waited)
        refused = hold.log.count()
        if refused is None:
            return hold.cut or None
        return max(0, refused - hold.own) + hold.cut

    def renew(self, lease_s: float) -> None:
        """Speak on every connection that is held, so that the server does not end it."""
        for hold in list(self._holds.values()):
            if hold.connections:
                self._session.do(_speak(hold, lease_s), within_s=3.0, what="the lease of a fault at the database")

    # -- on the loop ----------------------------------------------------------------------------------------------------

    def _do(self, fault: Fault, work: Any, *, within_s: float = 5.0) -> Any:
        return self._session.do(work, within_s=within_s, what=f"{fault.id}: {fault.kind} at {fault.at}")

    async def _lock(self, hold: _Hold, pattern: str, lease_s: float) -> None:
        connection = await self._session.connect()
        hold.connections.append(connection)
        tables = await chosen_tables(connection, pattern)
        await connection.execute(f"SET idle_in_transaction_session_timeout = {round(lease_s * 1000)}")
        await connection.execute("SET lock_timeout = 2000")
        await connection.execute("BEGIN")
        await connection.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
        watcher = await self._session.connect()
        hold.connections.append(watcher)
        holder = await connection.fetchval("SELECT pg_backend_pid()")
        hold.watch = asyncio.get_running_loop().create_task(_watch_waiting(hold, watcher, int(holder)))

    async def _exhaust(self, fault: Fault, hold: _Hold, values: dict[str, Scalar], lease_s: float) -> None:
        first = await self._session.connect()
        hold.connections.append(first)
        allowed, at_most = int(await first.fetchval("SHOW max_connections")), int(values["at_most"])
        if allowed > at_most:
            raise FaultError(f"{fault.id}: {fault.at} allows {allowed} connections; at_most is {at_most}")
        for _ in range(10):
            await self._fill(hold, allowed, lease_s)
            if not values["cut"]:
                return
            ended = await first.fetch(_CUT, NAME)
            hold.cut += len(ended)
            if not ended:
                return

    async def _fill(self, hold: _Hold, allowed: int, lease_s: float) -> None:
        """Open connections until the server refuses one."""
        for _ in range(allowed + 10):
            try:
                connection = await self._session.connect()
            except TOO_MANY:
                hold.own += 1
                return
            hold.connections.append(connection)
            await connection.execute(f"SET idle_session_timeout = {round(lease_s * 1000)}")

    async def _seen(self, fault: Fault) -> bool:
        hold = self._holds[fault.id]
        try:
            match fault.kind:
                case "read_only":
                    # Rolled back where it is not in force; the reload reaches a new session within milliseconds.
                    for _ in range(20):
                        try:
                            await self._session.execute("BEGIN", "CREATE TABLE harness_fault_probe ()", "ROLLBACK")
                        except READ_ONLY:
                            hold.own += 1
                            return True
                        await asyncio.sleep(0.05)
                    return False
                case "lock":
                    return bool(await self._session.ask(_HELD, hold.connections[0].get_server_pid()))
                case _:
                    await (await self._session.connect()).close(timeout=1.0)
        except TOO_MANY:
            hold.own += 1
            return True
        return False

    async def _gone(self, fault: Fault) -> bool:
        try:
            for _ in range(40):
                if fault.kind == "connections_exhausted":
                    try:
                        await (await self._session.connect()).close(timeout=1.0)
                    except TOO_MANY:
                        self._holds[fault.id].own += 1
                        await asyncio.sleep(0.05)  # the server ends its processes one after the other
                        continue
                    return True
                if fault.kind == "lock":
                    if not await self._session.ask(_OURS, NAME):
                        return True
                else:
                    try:
                        await self._session.execute("BEGIN", "CREATE TABLE harness_fault_probe ()", "ROLLBACK")
                    except READ_ONLY:
                        self._holds[fault.id].own += 1
                        await asyncio.sleep(0.05)
                        continue
                    return True
                await asyncio.sleep(0.05)
        except LOCKED:
            return False
        return False


async def _watch_waiting(hold: _Hold, watcher: Any, holder: int) -> None:
    """Note every statement that waits for the holder, once."""
    waiting = "SELECT pid, query_start::text FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"
    while True:
        for row in await watcher.fetch(waiting, holder):
            hold.waited.add((row[0], row[1]))
        await asyncio.sleep(_WATCH_EVERY_S)


async def _let_go(hold: _Hold) -> None:
    if hold.watch is not None:
        hold.watch.cancel()
        await asyncio.gather(hold.watch, return_exceptions=True)
    while hold.connections:
        hold.connections.pop().terminate()


async def _speak(hold: _Hold, lease_s: float) -> None:
    for connection in [each for each in hold.connections if not each.is_closed()]:
        if hold.watch is not None and connection is hold.connections[-1]:
            continue  # the watcher speaks all the time, and two may not at once
        await connection.execute("SELECT 1")
    del lease_s
