"""A message's own state in the database, which every step must win: each step is one transaction.

queued/free -> claimed -> calling -> done or failed, with the outbox's row and its job in the same transaction -> delivered.
A job (`jobs.py`) says which message is to be looked at, and may say so twice; what is done with it is decided here.
A holder that died before `calling` is replaced; one that died in it left a call that may have been paid, which is never
made again: its message is ended with the polite answer.
"""

import uuid
from typing import Any

from reference_service.database import Connection, Database
from reference_service.jobs import DELIVER, jobs_on, put

_COLUMNS = "m.id, m.request_id, m.body, m.body_sealed, m.attempts, m.tenant, a.id as account_id, a.name, a.role"
_DUE = "(body_sealed is not null or leased_until is null or leased_until < now())"
# A version that knows no jobs claims by these columns alone, and may run beside this one.
_CLAIM = f"""
update message m set holder = $2, held_until = now() + make_interval(secs => $3), step = 'claimed', attempts = attempts + 1,
    leased_until = 'infinity'
from account a
where m.id = $1 and a.id = m.account_id and state = 'queued' and step <> 'calling' and not_before <= now()
    and (holder is null or held_until < now()) and {_DUE}
returning {_COLUMNS}
"""  # noqa: S608 - columns of ours
_CLAIM_CUT = f"""
update message m set holder = $2, held_until = now() + make_interval(secs => $3)
from account a
where m.id = $1 and a.id = m.account_id and state = 'queued' and step = 'calling' and held_until < now()
returning {_COLUMNS}
"""  # noqa: S608 - columns of ours
_STANDING = """
select step = 'calling' and held_until < now() as cut, extract(epoch from
    greatest(held_until, not_before, case when body_sealed is null then leased_until end) - now())::float as wait_s
from message where id = $1 and state = 'queued'
"""
_CALLING = "update message set step = 'calling' where id = $1 and holder = $2 and state = 'queued' returning id"
_FINISH = """
with finished as (
    update message set state = $3, answer_sealed = $4, finished_at = now(), holder = null, held_until = null
    where id = $1 and holder = $2 and state = 'queued' returning id
), out as (insert into outbox (message_id) select id from finished where $5 on conflict do nothing)
select id from finished
"""
_GIVE_BACK = """
update message set step = 'free', holder = null, held_until = null, not_before = now() + make_interval(secs => $3)
where id = $1 and holder = $2 and state = 'queued'
"""
_NEXT_OUT = """
update outbox o set attempts = o.attempts + 1,
    next_at = now() + make_interval(secs => $2 + least(300, 0.5 * power(2, least(o.attempts, 20))))
from message m
where o.message_id = $1 and m.id = o.message_id and o.delivered_at is null and o.next_at <= now()
returning m.id, m.state, m.answer, m.answer_sealed, extract(epoch from o.next_at - now())::float as wait_s
"""
_OUT_STANDING = (
    "select extract(epoch from next_at - now())::float as wait_s from outbox where message_id = $1 and delivered_at is null"
)
_DELIVERED = "update outbox set delivered_at = coalesce(delivered_at, now()) where message_id = $1 returning message_id"


class Queue:
    """The steps. Every one raises StoreUnavailable, and may then be taken again.

    lease_s: a worker whose heart was silent for longer is dead.
    """

    def __init__(self, database: Database, *, lease_s: float, deliver: bool, delivery_s: float) -> None:
        self.lease_s = lease_s
        self._database = database
        self._deliver = deliver
        self._delivery_s = delivery_s

    async def claim(self, message_id: uuid.UUID, holder: uuid.UUID) -> Any | None:
        """Return the message, now held by `holder`, or None where it is not to be had."""
        # A claim that was sent twice holds for nobody; the message is free again when its lease ends.
        rows = await self._database.rows(_CLAIM, message_id, holder, self.lease_s)
        return rows[0] if rows else None

    async def claim_cut(self, message_id: uuid.UUID, holder: uuid.UUID) -> Any | None:
        """Return the message if its holder died while its call was under way, or None."""
        rows = await self._database.rows(_CLAIM_CUT, message_id, holder, self.lease_s)
        return rows[0] if rows else None

    async def standing(self, message_id: uuid.UUID) -> Any | None:
        """Return whether a message's call was `cut`, and the `wait_s` until it may be had; None where nothing is left to do."""
        rows = await self._database.rows(_STANDING, message_id)
        return rows[0] if rows else None

    async def mark_calling(self, message_id: uuid.UUID, holder: uuid.UUID) -> bool:
        """Write down that a call is about to be made; False where the message is no longer `holder`'s."""
        return bool(await self._database.rows(_CALLING, message_id, holder))

    async def finish(self, message_id: uuid.UUID, holder: uuid.UUID, state: str, sealed: bytes) -> bool:
        """End a message with its answer and put its delivery out, all or none; False where it is no longer `holder`'s."""

        async def end(connection: Connection) -> bool:
            ended = bool(await connection.fetch(_FINISH, message_id, holder, state, sealed, self._deliver))
            if ended and self._deliver:
                await put(jobs_on(connection), DELIVER, [message_id])
            return ended

        return await self._database.transaction(end)

    async def give_back(self, message_id: uuid.UUID, holder: uuid.UUID, wait_s: float) -> None:
        """Let a message be tried again after `wait_s`."""
        await self._database.rows(_GIVE_BACK, message_id, holder, wait_s)

    async def next_delivery(self, message_id: uuid.UUID) -> Any | None:
        """Return the answer to deliver, and `wait_s` after which it is due again, later each time; None where it is not due."""
        rows = await self._database.rows(_NEXT_OUT, message_id, self._delivery_s)
        return rows[0] if rows else None

    async def delivery_due_s(self, message_id: uuid.UUID) -> float | None:
        """Return the seconds until a delivery is due; None where there is none any more."""
        rows = await self._database.rows(_OUT_STANDING, message_id)
        return rows[0]["wait_s"] if rows else None

    async def delivered(self, message_id: uuid.UUID) -> bool:
        """Note that the webhook has taken an answer; return whether it is noted."""
        return bool(await self._database.rows(_DELIVERED, message_id))
