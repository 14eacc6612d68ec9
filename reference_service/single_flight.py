"""Many ask the same at once, one call is made: the first takes off, the others wait for what it brings home.

Within a process by a future, over processes by a lock in the store with a time limit. It saves money and is no guard: a
store that is down, a leader that fails or takes too long means that the next one asks for itself.
"""

import asyncio
import contextlib
import secrets
import time

from reference_service.errors import StoreUnavailable
from reference_service.store import Script, Store
from reference_service.turn import Turn

LOCK_MS = 6000
POLL_S = 0.03
LEAVE_S = 1.0
"""What a waiting one keeps of its deadline, to ask for itself after all."""
_UNLOCK = Script("if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0")


class SingleFlight:
    """The flights under way in this process. wait_s: the longest that one waits for another's answer; 0: never."""

    def __init__(self, store: Store, *, wait_s: float) -> None:
        self._store = store
        self._wait_s = wait_s
        self._flights: dict[str, asyncio.Event] = {}

    async def take_off(self, turn: Turn, key: str) -> bool:
        """Return True for one who must ask for itself, False where a flight has ended and it is time to look again."""
        until = min(turn.started + self._wait_s, turn.deadline - LEAVE_S)
        if time.monotonic() >= until:
            return True
        under_way = self._flights.get(key)
        if under_way is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(asyncio.get_running_loop().time() + until - time.monotonic()):
                    await under_way.wait()
            return False
        self._flights[key] = asyncio.Event()
        holder = secrets.token_hex(8)
        turn.flight = (key, holder)
        lock = f"flight:{key}"
        try:
            if await self._store.command("SET", lock, holder, "NX", "PX", LOCK_MS) is not None:
                return True
            while time.monotonic() < until and await self._store.command("EXISTS", lock):
                await asyncio.sleep(POLL_S)
        except StoreUnavailable:
            return True
        except BaseException:
            await self.land(turn)
            raise
        await self.land(turn)
        return False

    async def land(self, turn: Turn) -> None:
        """End this turn's flight, if it has one."""
        flight, turn.flight = turn.flight, None
        if not isinstance(flight, tuple):
            return
        key, holder = flight
        landed = self._flights.pop(key, None)
        if landed is not None:
            landed.set()
        with contextlib.suppress(StoreUnavailable):
            await self._store.script(_UNLOCK, (f"flight:{key}",), (holder,))
