"""A PostgreSQL whose every flush to disk takes longer, by its own setting for gathering commits (`commit_delay`).

A device that is slow needs root and a block device of its own; what its users feel of one is the wait at commit, and that
the server can be told. It only waits where it flushes at all, so `fsync` is on meanwhile.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.errors import FaultError
from harness.faults.database_session import DatabaseSession
from harness.faults.guardian.undo import DatabaseStep
from harness.model.fault import Fault
from harness.model.fault_kinds import FAULT_KINDS, complete
from harness.model.target import Dependency

_SETTINGS = ("fsync", "commit_siblings", "commit_delay")
_RELOAD = "SELECT pg_reload_conf()"
_SEEN_WITHIN_S = 3.0
_TABLE = "harness_fault_flush"
_FLUSHES = "SELECT coalesce(sum(fsyncs), 0) FROM pg_stat_io WHERE object = 'wal'"  # PostgreSQL 18
_FLUSHES_BEFORE = "SELECT wal_sync FROM pg_stat_wal"
_HAS_OBJECT = "SELECT count(*) FROM pg_stat_io WHERE object = 'wal'"


@dataclass(slots=True, kw_only=True)
class _Hold:
    """flush_ms: what was asked for. before_s: what a commit took without.

    flushes: the server's own count when the fault was confirmed, None where it has none.
    """

    flush_ms: int
    before_s: float
    flushes: int | None = None
    acted: int | None = None


class SlowDisk:
    """The fault of one database. Every method raises FaultError."""

    def __init__(self, dependency: Dependency) -> None:
        self._session = DatabaseSession(dependency)
        self._holds: dict[str, _Hold] = {}
        self._undo: dict[str, tuple[str, ...]] = {}

    def undo_steps(self, fault: Fault) -> tuple[DatabaseStep, ...]:
        """Return what restores the settings, those of an earlier ALTER SYSTEM too."""
        written = self._do(
            fault, self._session.rows("SELECT name, setting FROM pg_file_settings WHERE sourcefile LIKE '%.auto.conf'")
        )
        before = {row["name"]: row["setting"] for row in written}
        statements = [
            f"ALTER SYSTEM SET {name} = '{before[name]}'" if name in before else f"ALTER SYSTEM RESET {name}"
            for name in _SETTINGS
        ]
        self._undo[fault.id] = (*statements, _RELOAD)
        return (self._session.undo_step(self._undo[fault.id]),)

    def apply(self, fault: Fault, lease_s: float) -> None:
        """Let each flush take longer."""
        del lease_s  # the guardian gives settings their lease
        flush_ms = int(complete(FAULT_KINDS[fault.kind], fault.parameters)["flush"])
        self._holds[fault.id] = _Hold(flush_ms=flush_ms, before_s=self._do(fault, self._commits()))
        values = dict(zip(_SETTINGS, ("on", 0, flush_ms * 1000), strict=True))
        self._do(
            fault, self._session.execute(*(f"ALTER SYSTEM SET {name} = '{value}'" for name, value in values.items()), _RELOAD)
        )

    def confirm(self, fault: Fault) -> None:
        """See a transaction of our own wait for its flush."""
        hold = self._holds[fault.id]
        wanted_s = hold.flush_ms / 1000
        if not self._do(fault, self._until(lambda took_s: took_s >= wanted_s)):
            raise FaultError(f"{fault.id}: a commit at {fault.at} does not take {hold.flush_ms} ms")
        hold.flushes = self._do(fault, self._flushes())

    def in_force(self, fault: Fault) -> bool:
        """Return whether the server still is told to wait."""
        told = self._do(fault, self._session.rows("SHOW commit_delay"))[0][0]
        return int(told) == self._holds[fault.id].flush_ms * 1000

    def clear(self, fault: Fault) -> None:
        """Restore the settings; nothing where it was never applied."""
        hold = self._holds.get(fault.id)
        if hold is None:
            return
        after = self._do(fault, self._flushes())
        hold.acted = None if after is None or hold.flushes is None else max(0, after - hold.flushes)
        self._do(fault, self._session.execute(*self._undo[fault.id]))

    def prove_clear(self, fault: Fault) -> None:
        """See a transaction of our own committed as fast as a flush without the wait."""
        hold = self._holds.get(fault.id)
        if hold is not None and not self._do(fault, self._until(lambda took_s: took_s < _quick_s(hold))):
            raise FaultError(
                f"{fault.id}: a commit at {fault.at} still takes {hold.flush_ms} ms",
                advice=f"by hand: {'; '.join(self._undo.get(fault.id, ()))}",
            )

    def acted(self, fault: Fault) -> int | None:
        """Return how many flushes the server did meanwhile, ours left out; None where it does not count them."""
        self._undo.pop(fault.id, None)
        hold = self._holds.pop(fault.id, None)
        return None if hold is None else hold.acted

    # -- on the loop ----------------------------------------------------------------------------------------------------

    def _do(self, fault: Fault, work: Any) -> Any:
        return self._session.do(work, within_s=8.0, what=f"{fault.id}: {fault.kind} at {fault.at}")

    async def _until(self, holds: Callable[[float], bool]) -> bool:
        """Commit over and over until it takes as long as wanted."""
        deadline = time.monotonic() + _SEEN_WITHIN_S
        while time.monotonic() < deadline:
            if holds(await self._commits()):
                return True
            await asyncio.sleep(0.02)
        return False

    async def _commits(self) -> float:
        """Return the shortest of three commits of something that was written: what only this machine's moods add is left out."""
        connection = await self._session.connect()
        try:
            await connection.execute("SET synchronous_commit = on")
            took_s = []
            for _ in range(3):
                began = time.monotonic()
                # A table that is gone with its own transaction leaves nothing behind, and its commit is flushed.
                await connection.execute(f"BEGIN; CREATE TABLE {_TABLE} (); DROP TABLE {_TABLE}; COMMIT")
                took_s.append(time.monotonic() - began)
            return min(took_s)
        finally:
            await connection.close(timeout=1.0)

    async def _flushes(self) -> int | None:
        connection = await self._session.connect()
        try:
            # Counts of a session reach the view once it rests; ours is the only one that must not wait for that.
            await connection.execute("SELECT pg_stat_force_next_flush()")
            new = await connection.fetchval(_HAS_OBJECT)
            return int(await connection.fetchval(_FLUSHES if new else _FLUSHES_BEFORE))
        except Exception:  # noqa: BLE001 - an older server has no such view, and counting matters less than the fault
            return None
        finally:
            await connection.close(timeout=1.0)


def _quick_s(hold: _Hold) -> float:
    """Return below what a commit is one without the fault: on a disk that is slow itself, by what it took before."""
    return max(hold.flush_ms / 1000, 3 * hold.before_s)
