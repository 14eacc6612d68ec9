"""`python -m reference_service.worker`: answers the messages that `POST /message` took, and delivers the answers.

A queue library says which message is to be looked at (`jobs.py`), and the message's row what may be done with it
(`queue.py`): what is lost with this process is taken up by another one, and no call that may have been paid is made twice.
An answer that is ready is kept until the database has taken it, however long that is away.
"""

import asyncio
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
from reference_service.deliveries import SOON_S, Deliveries
from reference_service.errors import GuardUnavailable, Refusal, SettingsError, StoreUnavailable, UpstreamFailed
from reference_service.guards.call_provider import CANNED
from reference_service.guards.validate import Validate
from reference_service.job_driver import PoolDriver
from reference_service.job_hands import JobHands, Work
from reference_service.job_sweep import JobSweep
from reference_service.jobs import ANSWER, DELIVER, log_library_to
from reference_service.patience import patiently
from reference_service.pipeline import Pipeline, build_pipeline
from reference_service.resources import Resources, build_resources
from reference_service.sealing import Unsealable
from reference_service.settings import Settings
from reference_service.turn import Answer, Identity, Turn, Usage
from reference_service.webhook import Webhook

NEEDS = ("database_url", "store_url", "provider_primary_url")
MAX_ATTEMPTS = 5
QUIET_S = 3.0
"""How long the database must have been there before a call is taken for cut: its holder may be waiting to say how it ended."""
LAST_SAVE_S = 3.0
DELIVERIES_AT_ONCE = 4
UNCLEAR_S = 1.0


class NotOurs(Exception):  # noqa: N818 - a state: the lease ended and another one has the message
    """The message is no longer held by this worker."""


class Worker:
    """Takes messages as their jobs come, several at a time."""

    def __init__(self, resources: Resources, pipeline: Pipeline) -> None:
        s = resources.settings
        self._resources = resources
        self._pipeline = pipeline
        self._settings = s
        self._validate = Validate(s)
        self._sealer = resources.sealer
        self.queue = resources.parts.queue(
            resources.database, lease_s=s.worker_lease_s, deliver=bool(s.webhook_url), delivery_s=s.webhook_timeout_s + 1
        )
        webhook = Webhook(s.webhook_url, secret=s.webhook_secret, limit_s=s.webhook_timeout_s)
        self._deliveries = Deliveries(self.queue, webhook, self._sealer, resources.write_log)
        self._sweep = JobSweep(resources.database, deliver=bool(s.webhook_url))
        self._quiet_since = time.monotonic()
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        """Work until `stopping` is set; what is begun is finished."""
        s = self._settings
        driver = PoolDriver(self._resources.database, stopping=self.stopping, last_s=LAST_SAVE_S, away=self._away)
        hands = [self._hands(ANSWER, self.one, s.worker_concurrency)]
        if s.webhook_url:
            hands.append(self._hands(DELIVER, self._deliveries.one, DELIVERIES_AT_ONCE))
        await asyncio.gather(
            *(each.run(driver) for each in hands),
            self._sweep.run(self.stopping, self._away),
        )

    def _hands(self, kind: str, work: Work, at_once: int) -> JobHands:
        return JobHands(
            kind,
            work,
            at_once=at_once,
            silent_s=self.queue.lease_s,
            poll_s=self._settings.worker_poll_s,
            write_log=self._resources.write_log,
        )

    def _away(self) -> None:
        self._quiet_since = time.monotonic()

    async def one(self, message_id: uuid.UUID) -> float | None:
        """Claim and finish a message; return None once it is at its end, else when to look again. Raises StoreUnavailable."""
        holder = uuid.uuid4()
        row = await self.queue.claim(message_id, holder)
        if row is not None:
            try:
                return await self._work(row, holder)
            except NotOurs:
                return self.queue.lease_s
        standing = await self.queue.standing(message_id)
        if standing is None:
            return None
        if standing["cut"]:
            return await self.one_cut(message_id)
        wait_s = standing["wait_s"]
        # Free, and yet not to be had: it was let go this moment, or its account is gone. Neither is a reason to ask in a circle.
        return UNCLEAR_S if wait_s is None or wait_s <= 0 else min(max(wait_s, SOON_S), self.queue.lease_s)

    async def one_cut(self, message_id: uuid.UUID) -> float | None:
        """End a message whose call was cut by its worker's death; return as `one` does. Raises StoreUnavailable."""
        holder = uuid.uuid4()
        if (quiet_s := time.monotonic() - self._quiet_since) < QUIET_S:
            return QUIET_S - quiet_s
        if (row := await self.queue.claim_cut(message_id, holder)) is None:
            return SOON_S
        turn = self._turn(row)
        turn.degraded, turn.fallback, turn.reason = "canned", True, "the call was cut; it is not made twice"
        turn.answer = Answer(text=CANNED, finish_reason="stop", usage=Usage(prompt_tokens=0, completion_tokens=0))
        await self._close(turn)
        return await self._save(row, holder, "done", whole_body(turn, turn.answer))

    async def _work(self, row: Any, holder: uuid.UUID) -> float | None:
        turn = self._turn(row)
        state, answer = "done", None

        async def before_call() -> None:
            if not await self.queue.mark_calling(row["id"], holder):
                raise NotOurs

        try:
            turn.question = self._validate.question(msgspec.json.decode(self._body(row)))
            await self._pipeline.guards["features"](turn)
            await self._pipeline.answer(turn, before_call=before_call)
            assert turn.answer is not None
            await self._pipeline.guards["settle"](turn)
            await self._pipeline.guards["remember"](turn)
            if turn.degraded == "canned" and row["attempts"] < MAX_ATTEMPTS:
                return await self._give_back(row, holder)  # nobody waits at the door: a real answer later is better than none now
            answer = whole_body(turn, turn.answer)
        except (GuardUnavailable, UpstreamFailed, StoreUnavailable) as failure:
            refusal = failure if isinstance(failure, Refusal) else GuardUnavailable("queue")
            turn.error, turn.reason = refusal.type, reason_of(refusal)
            if row["attempts"] < MAX_ATTEMPTS:
                return await self._give_back(row, holder)
            state, answer = "failed", refusal.body()
        except Refusal as refusal:
            turn.error, turn.reason = refusal.type, reason_of(refusal)
            state, answer = "failed", refusal.body()
        except Unsealable as error:
            turn.error, turn.reason = "internal_error", str(error)
            state, answer = "failed", Refusal("This message can no longer be read.").body()
        finally:
            await self._close(turn)
        return await self._save(row, holder, state, answer)

    async def _close(self, turn: Turn) -> None:
        for name in ("land", "settle", "audit", "log"):
            await self._pipeline.guards[name](turn)
        self._resources.metrics.turn(turn)

    async def _save(self, row: Any, holder: uuid.UUID, state: str, answer: object) -> float | None:
        """End the message; wait for a database that is away: an answer that was paid is not thrown away. Return as `one` does."""
        sealed = self._sealer.seal(msgspec.json.encode(answer), f"message:{row['id']}:answer_sealed")
        try:
            ended = await patiently(
                lambda: self.queue.finish(row["id"], holder, state, sealed),
                stopping=self.stopping,
                last_s=LAST_SAVE_S,
                away=self._away,
                again_after_s=0.1,
            )
        except StoreUnavailable:
            self._resources.write_log({"event": "answer_unsaved_at_exit", "message_id": str(row["id"])})
            return self.queue.lease_s
        return None if ended else SOON_S

    async def _give_back(self, row: Any, holder: uuid.UUID) -> float:
        """Let the message be tried again after a while that doubles; return that while."""
        wait_s: float = 0.5 * 2.0 ** row["attempts"]
        while not self.stopping.is_set():
            try:
                await self.queue.give_back(row["id"], holder, wait_s)
            except StoreUnavailable:
                await asyncio.sleep(0.2)
            else:
                return wait_s
        return self.queue.lease_s

    def _body(self, row: Any) -> bytes:
        """Return the message as it was taken. Raises Unsealable."""
        if row["body_sealed"] is not None:
            return self._sealer.open(row["body_sealed"], f"message:{row['id']}:body_sealed")
        return str(row["body"]).encode()

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
    log_library_to(resources.write_log)
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
