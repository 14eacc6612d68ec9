"""Asynchronous messages and scores in the database, as the endpoints see them."""

import uuid
from typing import Any

from reference_service.database import Connection, Database
from reference_service.jobs import ANSWER, jobs_on, put

NAMESPACE = uuid.UUID("6f1f4c8e-6b43-5f0a-9a4e-2a1c7d3b9e60")


class DeskStore:
    """The statements; each raises StoreUnavailable."""

    enqueue_sql = """
insert into message (id, account_id, tenant, request_id, body_sealed, leased_until) values ($1, $2, $3, $4, $5, 'infinity')
on conflict (id) do nothing returning id
"""
    fetch_sql = "select state, answer, answer_sealed from message where id = $1 and account_id = $2"
    score_sql = "insert into feedback (account_id, request_id, score) values ($1, $2, $3)"

    def __init__(self, database: Database) -> None:
        self._database = database

    def id_of(self, account_id: int, key: str | None) -> uuid.UUID:
        """Return the id of a message: the same one for the same account and idempotency key."""
        return uuid.uuid5(NAMESPACE, f"{account_id}:{key}") if key else uuid.uuid4()

    async def enqueue(self, message_id: uuid.UUID, account_id: int, tenant: str, request_id: str, sealed: bytes) -> None:
        """Keep a message and put the job of answering it, both or none; one that is kept already stays as it is."""

        async def keep(connection: Connection) -> None:
            if await connection.fetch(self.enqueue_sql, message_id, account_id, tenant, request_id, sealed):
                await put(jobs_on(connection), ANSWER, [message_id])

        await self._database.transaction(keep)

    async def fetch(self, message_id: uuid.UUID, account_id: int) -> Any | None:
        """Return a message of an account, None where it has none of that id."""
        rows = await self._database.rows(self.fetch_sql, message_id, account_id)
        return rows[0] if rows else None

    async def score(self, account_id: int, request_id: str, score: int) -> None:
        """Keep a score."""
        await self._database.rows(self.score_sql, account_id, request_id, score)
