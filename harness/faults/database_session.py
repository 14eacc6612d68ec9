"""What the faults of one PostgreSQL ask and tell it: from any thread, each time on a connection of their own."""

from collections.abc import Coroutine
from typing import Any

from harness.faults.database_connection import Loop, connect
from harness.faults.guardian.undo import DatabaseStep
from harness.model.target import Dependency


class DatabaseSession:
    """One database to be spoken to. Nothing is connected before the first word."""

    def __init__(self, dependency: Dependency) -> None:
        self._dependency = dependency
        self._loop: Loop | None = None

    def do(self, work: Coroutine[Any, Any, Any], *, within_s: float, what: str) -> Any:
        """Return what the work returns. Raises FaultError that names `what`, from whatever went wrong."""
        self._loop = self._loop or Loop()
        return self._loop.do(work, within_s=within_s, what=what)

    def undo_step(self, statements: tuple[str, ...]) -> DatabaseStep:
        """Return the statements as what the guardian does."""
        mine = self._dependency
        return DatabaseStep(
            address=mine.address, user=mine.user, database=mine.database, password=mine.password, statements=statements
        )

    # -- on the loop ----------------------------------------------------------------------------------------------------

    async def connect(self) -> Any:
        """Return a connection, which is the caller's to close."""
        mine = self._dependency
        return await connect(mine.address, mine.user, mine.database, mine.password)

    async def ask(self, statement: str, *arguments: object) -> Any:
        """Return the first value of the first row."""
        connection = await self.connect()
        try:
            return await connection.fetchval(statement, *arguments)
        finally:
            await connection.close(timeout=1.0)

    async def rows(self, statement: str) -> Any:
        """Return every row."""
        connection = await self.connect()
        try:
            return await connection.fetch(statement)
        finally:
            await connection.close(timeout=1.0)

    async def execute(self, *statements: str) -> None:
        """Do these one at a time: ALTER SYSTEM takes no company."""
        connection = await self.connect()
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close(timeout=1.0)
