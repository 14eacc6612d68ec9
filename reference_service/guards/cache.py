"""Has it been answered: memory, then the shared store, an hour each; the tenant is part of the key.

Every look-up asks the store for the generation, so that no instance gives an answer that a change of the knowledge base
has made old. Who asks what is being asked already waits for that answer, on all instances (`SingleFlight`).

Only answers that are the same each time are kept: temperature 0, given by the client. `cache-control: no-cache` or
`no-store` passes by. After its hour an answer stays for a day as `stale`, for the fallback chain alone. A new
knowledge base changes the generation in every key, and so leaves rate counters and all else in the store alone.
"""

import contextlib
import secrets
import time
from collections import OrderedDict
from hashlib import sha256

import msgspec

from reference_service.clock import wall_s
from reference_service.errors import StoreUnavailable
from reference_service.settings import Settings
from reference_service.single_flight import SingleFlight
from reference_service.store import Script, Store
from reference_service.turn import Answer, Passage, Turn, Usage

GENERATION_KEY = "cache:generation"
GENERATION_KNOWN_S = 2.0
GENERATION = Script("redis.call('SET', KEYS[1], ARGV[1], 'NX') return redis.call('GET', KEYS[1])")


class KeptSource(msgspec.Struct, frozen=True):
    """A passage that the answer was given, without its text."""

    id: str
    title: str
    score: float


class Kept(msgspec.Struct, frozen=True):
    """A cached answer. stored_at: wall clock, seconds. cost_nanousd: what it cost, which each hit saves; 0 where an older
    version kept it."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    stored_at: float
    sources: tuple[KeptSource, ...] = ()
    cost_nanousd: int = 0


class Cache:
    """Looks up (`__call__`) and keeps (`remember`). `refresh` keeps both levels on one generation."""

    flight_class: type[SingleFlight] = SingleFlight

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._memory: OrderedDict[str, Kept] = OrderedDict()
        self._generation: str | None = None
        self._generation_at = 0.0
        self.flights = self.flight_class(store, wait_s=settings.single_flight_wait_s)
        self._decoder = msgspec.json.Decoder(Kept)

    @property
    def generation(self) -> str | None:
        """Return what changes whenever any knowledge does, as far as this process has heard; None: nothing heard for long."""
        return self._generation if time.monotonic() - self._generation_at <= GENERATION_KNOWN_S else None

    async def __call__(self, turn: Turn) -> None:
        """Set `answer` on a hit; on a miss set `cache_key`, and `stale` where there is an old answer."""
        control = turn.headers.get("cache-control", "").lower()
        if turn.asked.temperature != 0 or "no-cache" in control or "no-store" in control:
            return
        try:
            await self.refresh()
        except StoreUnavailable:
            return  # not knowing whether the knowledge changed, no cached answer may pass for a fresh one
        turn.cache_key = self._key(turn)
        turn.cache = "miss"
        while not await self._find(turn, turn.cache_key):
            if await self.flights.take_off(turn, turn.cache_key):
                return

    async def _find(self, turn: Turn, key: str) -> bool:
        """Set `answer` and return True where a fresh one is kept; note an old one."""
        kept = self._memory.get(key)
        if kept is not None and self._is_fresh(kept):
            self._memory.move_to_end(key)
            self._give(turn, kept)
            turn.cache = "hit-memory"
            return True
        shared = await self._from_store(key)
        if shared is not None and self._is_fresh(shared):
            self._put(key, shared)
            self._give(turn, shared)
            turn.cache = "hit-shared"
            return True
        if (old := shared or kept) is not None:
            turn.stale = _answer(old)
        return False

    def _give(self, turn: Turn, kept: Kept) -> None:
        turn.answer = _answer(kept)
        turn.saved_nanousd = kept.cost_nanousd
        turn.passages = tuple(Passage(document_id=s.id, title=s.title, text="", score=s.score) for s in kept.sources)

    async def land(self, turn: Turn) -> None:
        """Let those go who wait for this turn's answer, whatever became of it; a second time does nothing."""
        await self.flights.land(turn)

    async def remember(self, turn: Turn) -> None:
        """Keep a model's whole, undegraded answer; a store that is down costs nothing but the hit."""
        answer = turn.answer
        if turn.cache_key is None or turn.cache != "miss" or turn.degraded != "0" or answer is None or turn.error is not None:
            return
        if answer.finish_reason == "content_filter" or turn.source != "primary":
            return
        kept = Kept(
            answer.text,
            answer.finish_reason,
            answer.usage.prompt_tokens,
            answer.usage.completion_tokens,
            wall_s(),
            tuple(KeptSource(p.document_id, p.title, p.score) for p in turn.passages),
            turn.cost_nanousd,
        )
        self._put(turn.cache_key, kept)
        keep_ms = int((self._settings.cache_ttl_s + self._settings.cache_stale_s) * 1000)
        with contextlib.suppress(StoreUnavailable):
            await self._store.command("SET", turn.cache_key, msgspec.json.encode(kept), "PX", keep_ms)

    async def refresh(self) -> None:
        """Learn the current generation. Raises StoreUnavailable."""
        # A store that lost it gets a new one, never an old one: what was cached before stays out.
        new = secrets.token_hex(8)
        current = await self._store.script(GENERATION, (GENERATION_KEY,), (new,))
        self._set_generation(current.decode())

    async def invalidate(self) -> None:
        """Make every cached answer of every instance a miss. Raises StoreUnavailable."""
        new = secrets.token_hex(8)
        await self._store.command("SET", GENERATION_KEY, new)
        self._set_generation(new)

    def _set_generation(self, generation: str) -> None:
        if generation != self._generation:
            self._memory.clear()
        self._generation = generation
        self._generation_at = time.monotonic()

    def _key(self, turn: Turn) -> str:
        question = turn.asked
        body = msgspec.json.encode(
            [
                turn.who.tenant,
                question.model,
                question.max_tokens,
                turn.features,
                sorted(question.parameters.items()),
                [(m.role, m.content) for m in question.messages],
            ]
        )
        return f"cache:answer:{self._generation}:{sha256(body).hexdigest()}"

    def _is_fresh(self, kept: Kept) -> bool:
        return 0 <= wall_s() - kept.stored_at < self._settings.cache_ttl_s

    def _put(self, key: str, kept: Kept) -> None:
        self._memory[key] = kept
        self._memory.move_to_end(key)
        while len(self._memory) > self._settings.cache_memory_entries:
            self._memory.popitem(last=False)

    async def _from_store(self, key: str) -> Kept | None:
        try:
            raw = await self._store.command("GET", key)
            return None if raw is None else self._decoder.decode(raw)
        except (StoreUnavailable, msgspec.MsgspecError):
            return None


def _answer(kept: Kept) -> Answer:
    return Answer(
        text=kept.text,
        finish_reason=kept.finish_reason,
        usage=Usage(prompt_tokens=kept.prompt_tokens, completion_tokens=kept.completion_tokens),
    )
