"""The queue of messages and its outbox, as statements on one database: each step is one transaction.

queued/free -> claimed -> calling -> done or failed, with the outbox's row in the same transaction -> delivered.
A holder that died before `calling` is replaced; one that died in it left a call that may have been paid, which is never
made again: its message is ended with the polite answer.
"""

import uuid
from typing import Any

from reference_service.database import Database

_COLUMNS = "m.id, m.request_id, m.body, m.body_sealed, m.attempts, m.tenant, a.id as account_id, a.name, a.role"
_CLAIM = f"""
update message m set holder = $1, held_until = now() + make_interval(secs => $2), step = 'claimed', attempts = attempts + 1,
    leased_until = 'infinity'
from (
    select id from message where state = 'queued' and step <> 'calling' and not_before <= now()
        and (holder is null or held_until < now()) and (body_sealed is not null or leased_until is null or leased_until < now())
    order by created_at limit 1 for update skip locked
) next, account a
where m.id = next.id and a.id = m.account_id
returning {_COLUMNS}
"""  # noqa: S608 - columns of ours
_CLAIM_CUT = f"""
update message m set holder = $1, held_until = now() + make_interval(secs => $2)
from (
    select id from message where state = 'queued' and step = 'calling' and held_until < now() order by created_at limit 1
    for update skip locked
) next, account a
where m.id = next.id and a.id = m.account_id
returning {_COLUMNS}
"""  # noqa: S608 - columns of ours
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
    next_at = now() + make_interval(secs => $1 + least(300, 0.5 * power(2, o.attempts)))
from (
    select message_id from outbox where delivered_at is null and next_at <= now() order by next_at limit 1 for update skip locked
) next, message m
where o.message_id = next.message_id and m.id = o.message_id
returning m.id, m.state, m.answer, m.answer_sealed, o.attempts
"""
_DELIVERED = "update outbox set delivered_at = now() where message_id = $1 and delivered_at is null"


class Queue:
    """The steps. Every one raises StoreUnavailable, and may then be taken again."""

    def __init__(self, database: Database, *, lease_s: float, deliver: bool, delivery_s: float) -> None:
        self._database = database
        self._lease_s = lease_s
        self._deliver = deliver
        self._delivery_s = delivery_s

    async def claim(self, holder: uuid.UUID) -> Any | None:
        """Return the next message, now held by `holder`, or None."""
        # A claim that was sent twice takes two messages; the one that nobody knows of is free again when its lease ends.
        rows = await self._database.rows(_CLAIM, holder, self._lease_s)
        return rows[0] if rows else None

    async def claim_cut(self, holder: uuid.UUID) -> Any | None:
        """Return a message whose holder died while its call was under way, or None."""
        rows = await self._database.rows(_CLAIM_CUT, holder, self._lease_s)
        return rows[0] if rows else None

    async def mark_calling(self, message_id: uuid.UUID, holder: uuid.UUID) -> bool:
        """Write down that a call is about to be made; False where the message is no longer `holder`'s."""
        return bool(await self._database.rows(_CALLING, message_id, holder))

    async def finish(self, message_id: uuid.UUID, holder: uuid.UUID, state: str, sealed: bytes) -> None:
        """End a message with its answer and put its delivery out, both or none; not where it is no longer `holder`'s."""
        await self._database.rows(_FINISH, message_id, holder, state, sealed, self._deliver)

    async def give_back(self, message_id: uuid.UUID, holder: uuid.UUID, wait_s: float) -> None:
        """Let a message be tried again after `wait_s`."""
        await self._database.rows(_GIVE_BACK, message_id, holder, wait_s)

    async def next_delivery(self) -> Any | None:
        """Return the next answer to deliver; it comes again, later each time, until `delivered`."""
        rows = await self._database.rows(_NEXT_OUT, self._delivery_s) if self._deliver else []
        return rows[0] if rows else None

    async def delivered(self, message_id: uuid.UUID) -> None:
        """Note that the webhook has taken an answer."""
        await self._database.rows(_DELIVERED, message_id)
