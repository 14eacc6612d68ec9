"""`python -m reference_service.worker`: answers the messages that `POST /message` took.

The table is the queue. A message is claimed with SKIP LOCKED under a lease; its answer is written only by the holder of
the lease, in one statement that also ends the message. A worker that dies loses its lease and the message is done
again: the call may be paid twice, the answer is delivered once.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
import uuid
from typing import Any

import msgspec

from reference_service.background import in_background
from reference_service.chat import reason_of, whole_body
from reference_service.errors import GuardUnavailable, Refusal, SettingsError, StoreUnavailable, UpstreamFailed
from reference_service.guards.validate import Validate
from reference_service.pipeline import Pipeline, build_pipeline
from reference_service.resources import Resources, build_resources
from reference_service.settings import Settings
from reference_service.turn import Identity, Turn

NEEDS = ("database_url", "store_url", "provider_primary_url")
MAX_ATTEMPTS = 5
_CLAIM = """
update message m set lease = $1, leased_until = now() + make_interval(secs => $2), attempts = attempts + 1
from (
    select id from message where state = 'queued' and (leased_until is null or leased_until < now())
    order by created_at limit 1 for update skip locked
) next, account a
where m.id = next.id and a.id = m.account_id
returning m.id, m.request_id, m.body, m.attempts, m.tenant, a.id as account_id, a.name, a.role
"""
_FINISH = """
update message set state = $3, answer = $4::jsonb, finished_at = now(), lease = null, leased_until = null
where id = $1 and lease = $2 and state = 'queued' returning id
"""
_GIVE_BACK = (
    "update message set leased_until = now() + make_interval(secs => $3) where id = $1 and lease = $2 and state = 'queued'"
)


class Worker:
    """Takes messages one by one, several at a time."""

    def __init__(self, resources: Resources, pipeline: Pipeline) -> None:
        self._resources = resources
        self._pipeline = pipeline
        self._settings = resources.settings
        self._validate = Validate(resources.settings)
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        """Work until `stopping` is set; what is begun is finished."""
        await asyncio.gather(*(self._loop() for _ in range(self._settings.worker_concurrency)))

    async def _loop(self) -> None:
        while not self.stopping.is_set():
            try:
                busy = await self.one()
            except StoreUnavailable:
                busy = False
            if not busy:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.stopping.wait(), self._settings.worker_poll_s)

    async def one(self) -> bool:
        """Claim and finish one message; return whether there was one. Raises StoreUnavailable."""
        lease = uuid.uuid4()
        # A claim that was sent twice takes two messages; the second is free again when its lease ends.
        rows = await self._resources.database.rows(_CLAIM, lease, self._settings.worker_lease_s)
        for row in rows:
            await self._work(row, lease)
        return bool(rows)

    async def _work(self, row: Any, lease: uuid.UUID) -> None:
        turn = self._turn(row)
        state, answer = "done", None
        try:
            turn.question = self._validate.question(msgspec.json.decode(row["body"]))
            await self._pipeline.answer(turn)
            assert turn.answer is not None
            await self._pipeline.guards["remember"](turn)
            await self._pipeline.guards["settle"](turn)
            if turn.degraded == "canned" and row["attempts"] < MAX_ATTEMPTS:
                await self._give_back(row, lease)  # nobody waits at the door: a real answer later is better than none now
                return
            answer = whole_body(turn, turn.answer)
        except (GuardUnavailable, UpstreamFailed) as refusal:
            turn.error, turn.reason = refusal.type, reason_of(refusal)
            if row["attempts"] < MAX_ATTEMPTS:
                await self._give_back(row, lease)
                return
            state, answer = "failed", refusal.body()
        except Refusal as refusal:
            turn.error, turn.reason = refusal.type, reason_of(refusal)
            state, answer = "failed", refusal.body()
        finally:
            await self._pipeline.guards["settle"](turn)
            await self._pipeline.guards["log"](turn)
            self._resources.metrics.turn(turn)
        await self._resources.database.rows(_FINISH, row["id"], lease, state, msgspec.json.encode(answer).decode())

    async def _give_back(self, row: Any, lease: uuid.UUID) -> None:
        """Let the message be tried again after a while that doubles."""
        with contextlib.suppress(StoreUnavailable):
            await self._resources.database.rows(_GIVE_BACK, row["id"], lease, 0.5 * 2.0 ** row["attempts"])

    def _turn(self, row: Any) -> Turn:
        async def no_body() -> bytes:
            return b""

        return Turn(
            uid=uuid.uuid4().hex,
            request_id=row["request_id"],
            headers={},
            read_body=no_body,
            deadline=time.monotonic() + self._settings.deadline_s,
            identity=Identity(account_id=row["account_id"], name=row["name"], tenant=row["tenant"], role=row["role"]),
        )


async def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    resources = build_resources(settings)
    await resources.open()
    pipeline = build_pipeline(resources)
    worker = Worker(resources, pipeline)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stopping.set)
    sys.stdout.write(json.dumps({"event": "ready"}) + "\n")
    sys.stdout.flush()
    try:
        async with in_background(resources, pipeline):
            await worker.run()
    finally:
        await resources.close()


def main() -> int:
    """Run the program; 2 for settings that cannot be used."""
    try:
        asyncio.run(run(Settings.from_environment(os.environ, needs=NEEDS)))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
