"""The one place where guards are made and put in order; replacing one here replaces it everywhere."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from reference_service.guards.authenticate import Authenticate
from reference_service.guards.cache import Cache
from reference_service.resources import Resources
from reference_service.turn import Guard, Turn

ADMISSION = ("authenticate", "rate_limit", "validate", "screen", "features")
ANSWERING = ("cache", "route", "retrieve", "reserve_budget", "call_provider", "screen_answer")
CLOSING = ("remember", "land", "settle", "audit", "log")
_ONLY_WITHOUT_ANSWER = frozenset({"route", "retrieve", "reserve_budget", "call_provider"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """The guards by name. `admit` and `answer` come before the first byte, `close` after the last."""

    guards: Mapping[str, Guard]
    cache: Cache
    authenticate: Authenticate

    async def admit(self, turn: Turn) -> None:
        """Run the guards that ask whether this may be answered at all. Raises Refusal."""
        for name in ADMISSION:
            await self.guards[name](turn)

    async def answer(self, turn: Turn, *, before_call: Callable[[], Awaitable[None]] | None = None) -> None:
        """Run the guards that find an answer; afterwards `turn.answer` or `turn.flow` is set. Raises Refusal.

        before_call: awaited when all is ready for a call that will be paid.
        """
        for name in ANSWERING:
            if turn.answer is None or name not in _ONLY_WITHOUT_ANSWER:
                if name == "call_provider" and before_call is not None:
                    await before_call()
                await self.guards[name](turn)


def build_guards(resources: Resources) -> tuple[dict[str, Guard], Cache]:
    """Return every guard by name, and the cache, whose generation others turn."""
    s, r, p = resources.settings, resources, resources.parts
    cache = p.cache(r.store, s)
    reserve = p.reserve_budget(r.ledger, s, r.endpoints[0], r.alerts)
    guards: dict[str, Guard] = {
        "authenticate": p.authenticate(r.database, remember_s=s.identity_cache_s),
        "rate_limit": p.rate_limit(r.store, limit=s.rate_limit, global_limit=s.global_rate_limit, window_s=s.rate_window_s),
        "validate": p.validate(s),
        "screen": p.screen(),
        "features": r.features,
        "cache": cache,
        "route": p.route(s, r.database, r.workflows, r.sealer),
        "retrieve": p.retrieve(r.knowledge, r.workflows, s, lambda: cache.generation),
        "reserve_budget": reserve,
        "call_provider": p.call_provider(r.endpoints, reserve, s, r.metrics),
        "screen_answer": p.screen_answer(),
        "remember": cache.remember,
        "land": cache.land,
        "settle": p.settle(r.ledger, s, r.metrics),
        "audit": p.audit(r.audit),
        "log": p.log(r.write_log),
    }
    return guards, cache


def build_pipeline(resources: Resources) -> Pipeline:
    """Return the pipeline of a healthy service."""
    guards, cache = build_guards(resources)
    authenticate = guards["authenticate"]
    assert isinstance(authenticate, Authenticate)
    return Pipeline(guards=guards, cache=cache, authenticate=authenticate)
