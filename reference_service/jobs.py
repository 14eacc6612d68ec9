"""Jobs: what the queue library (pgqueuer) hands to workers. A job names a message; all that must hold is in the message's row.

The library claims a job for one worker, keeps it while that worker's heart beats, gives it to another one after its death,
wakes idle workers, and brings a job again later where it is asked to. It promises at least once, and no more is built on it.
"""

import logging
import uuid
from collections.abc import Callable, Sequence

from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel
from pgqueuer.ports.driver import Driver

from reference_service.database import Connection

ANSWER = "answer"
DELIVER = "deliver"
NAMES = DBSettings(
    prefix="",
    db_schema=None,
    channel=Channel("ch_pgqueuer"),
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
    durability=Durability.durable,
    widen_id=False,
)
"""The library's own names. All are told, or an environment variable such as FUNCTION would change them."""


def jobs_through(driver: Driver) -> Queries:
    """Return the library's statements, sent by a driver."""
    return Queries(driver, qbe=QueryBuilderEnvironment(NAMES), qbq=QueryQueueBuilder(NAMES), qbs=QuerySchedulerBuilder(NAMES))


def jobs_on(connection: Connection) -> Queries:
    """Return the library's statements on one connection, inside whatever transaction is open there."""
    return jobs_through(AsyncpgDriver(connection))


def key_of(kind: str, message_id: uuid.UUID) -> str:
    """Return what makes a job the only one of its kind for a message."""
    return f"{kind}:{message_id}"


async def put(jobs: Queries, kind: str, message_ids: Sequence[uuid.UUID]) -> None:
    """Put a job for each message; one that is waiting or in hand already stays the only one."""
    await jobs.enqueue(
        [kind] * len(message_ids),
        [message_id.bytes for message_id in message_ids],
        [0] * len(message_ids),
        dedupe_key=[key_of(kind, message_id) for message_id in message_ids],
        on_conflict="skip",
    )


class LogLines(logging.Handler):
    """Writes what the library has to say as lines of the service's log: what happened, never a text of somebody else's."""

    def __init__(self, write: Callable[[dict[str, object]], None]) -> None:
        super().__init__(logging.WARNING)
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        self._write({"event": "queue_library", "level": record.levelname.lower(), "reason": str(record.msg), "error": error})


def log_library_to(write: Callable[[dict[str, object]], None]) -> None:
    """Have what the library has to say written as lines, and nowhere else."""
    library = logging.getLogger("pgqueuer")
    library.propagate = False
    library.addHandler(LogLines(write))
