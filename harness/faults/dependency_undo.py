"""Heals what was done to a store or a database, from whatever process is left to do it."""

from harness.errors import FaultError
from harness.faults.guardian.undo import DatabaseStep, StoreStep
from harness.faults.resp import Store, UnreachableError


def heal_store(step: StoreStep) -> str | None:
    """Send the commands; return what a person does instead where they cannot be sent."""
    try:
        with Store(step.address, step.password) as store:
            for command in step.commands:
                store.call(*command)
    except UnreachableError:
        return None  # a server that has gone took its settings along
    except FaultError as error:
        return f"to the store at {step.address}: {'; '.join(' '.join(each) for each in step.commands)} ({error.message})"
    return None


def heal_database(step: DatabaseStep) -> str | None:
    """Send the statements; return what a person does instead where they cannot be sent."""
    import asyncio  # and asyncpg: the guardian of most runs never needs them

    from harness.faults.database_connection import connect, nobody_there

    async def send() -> None:
        connection = await connect(step.address, step.user, step.database, step.password)
        try:
            for statement in step.statements:
                await connection.execute(statement)
        finally:
            await connection.close(timeout=1.0)

    try:
        asyncio.run(asyncio.wait_for(send(), 3.0))
    except Exception as error:  # noqa: BLE001 - whatever ails the driver, the list must be told as not healed
        if nobody_there(error):
            return None
        return f"to the database at {step.address}: {'; '.join(step.statements)} ({type(error).__name__}: {error})"
    return None
