"""Ask the models: the primary, with a retry where that is safe, then the second model, then an old answer, then a polite one.

The user's deadline rules: each attempt gets what is left of it, and the primary at most 1.5 s to its first content.
"""

import asyncio
import random
import time
from collections.abc import AsyncGenerator

from reference_service.errors import BudgetExceeded, InvalidRequest, UpstreamFailed
from reference_service.guards.reserve_budget import ReserveBudget
from reference_service.metrics import Metrics
from reference_service.provider.call import ProviderCall, estimate_usage
from reference_service.provider.endpoint import Endpoint
from reference_service.provider.failure import Kind, ProviderFailure
from reference_service.provider.retry import RetryBudget, backoff_s
from reference_service.settings import Settings
from reference_service.turn import Answer, Reservation, Turn, Usage

CANNED = "Our assistant is not available at the moment. Your question was received; please try again in a few minutes."
SHORTEST_CALL_S = 0.05
LONGEST_WAIT_S = 0.3


class CallProvider:
    """Sets `answer`, or `flow` for a stream whose first content has arrived."""

    def __init__(
        self,
        endpoints: tuple[Endpoint, ...],
        budget: ReserveBudget,
        settings: Settings,
        metrics: Metrics,
        *,
        random_source: random.Random | None = None,
    ) -> None:
        self._endpoints = endpoints
        self._budget = budget
        self._settings = settings
        self._metrics = metrics
        self._retries = RetryBudget(ratio=settings.retry_budget_ratio, burst=settings.retry_budget_burst)
        self._random = random_source or random.Random()

    async def __call__(self, turn: Turn) -> None:
        """Raise InvalidRequest where a provider refuses the request itself; UpstreamFailed only with fallback switched off."""
        failure: ProviderFailure | None = None
        for endpoint in self._endpoints:
            if endpoint.name in turn.broken:
                continue
            try:
                latest = await self._ask(turn, endpoint)
            except BudgetExceeded:
                if turn.attempts == 0:
                    raise
                break  # the second model would cost more than is left; the answers that cost nothing remain
            finally:
                turn.circuit = self._endpoints[0].breaker.state
            if turn.answer is not None or turn.flow is not None:
                turn.source = endpoint.name
                turn.fallback = endpoint is not self._endpoints[0]
                return
            failure = latest or failure
            if failure is not None and failure.is_ours:
                raise InvalidRequest("The model provider refused this request.", code="upstream_rejected")
        self._degrade(turn, failure or (ProviderFailure(Kind.LOST) if turn.broken else None))

    async def _ask(self, turn: Turn, endpoint: Endpoint) -> ProviderFailure | None:
        """Ask one endpoint, more than once where that is safe; return why there is no answer, None where it was not asked."""
        s = self._settings
        failure: ProviderFailure | None = None
        for attempt in range(1, s.retries + 2):
            if turn.left_s() < SHORTEST_CALL_S or (permit := endpoint.admit()) is None:
                return failure
            try:
                held = await self._held(turn, endpoint)
                turn.attempts += 1
                held.used = True
                began = time.monotonic()
                call = await endpoint.call(turn, held.model, first_content_s=self._first_content_s(turn, endpoint))
                permit.succeed()
                self._metrics.provider(endpoint.name, "ok", time.monotonic() - began)
                failure = await self._take(turn, endpoint, held, call)
            except ProviderFailure as error:
                failure = error
                held.used = error.may_have_billed
                permit.succeed() if error.is_ours else permit.fail()
                if error.retry_after_s is not None:
                    endpoint.hold_off(error.retry_after_s)
                self._metrics.provider(endpoint.name, error.kind.value, time.monotonic() - began)
            finally:
                permit.forget()
            if failure is None or not await self._may_retry(turn, failure, attempt):
                return failure
        return failure

    async def _may_retry(self, turn: Turn, failure: ProviderFailure, attempt: int) -> bool:
        """Wait before a retry and return True, or return False where the next endpoint should be asked instead."""
        s = self._settings
        if attempt == 1:
            self._retries.deposit()
        wait_s = max(backoff_s(attempt, s.retry_backoff_s, self._random), failure.retry_after_s or 0.0)
        # Where a second model stands ready, a long wait serves nobody.
        allowed_s = LONGEST_WAIT_S if len(self._endpoints) > 1 else turn.left_s() - SHORTEST_CALL_S
        if not failure.is_transient or attempt > s.retries or wait_s > allowed_s or not self._retries.withdraw():
            return False
        await asyncio.sleep(wait_s)
        return True

    async def _held(self, turn: Turn, endpoint: Endpoint) -> Reservation:
        """Return money for this attempt: what is held already where the model is the same, else a new reservation."""
        model = turn.model if endpoint is self._endpoints[0] else self._settings.backup_model
        for held in turn.reservations:
            if held.model == model and not held.used:
                return held
        return await self._budget.hold(turn, model)

    def _first_content_s(self, turn: Turn, endpoint: Endpoint) -> float:
        """Return how long this endpoint may be silent; the last one gets all that is left."""
        left_s = turn.left_s()
        return (
            left_s
            if endpoint is self._endpoints[-1] and len(self._endpoints) > 1
            else min(self._settings.first_content_timeout_s, left_s)
        )

    async def _take(self, turn: Turn, endpoint: Endpoint, held: Reservation, call: ProviderCall) -> ProviderFailure | None:
        """Hand a stream on, or read the whole answer; return what broke while reading."""
        flow = self._flow(turn, endpoint, held, call)
        if turn.asked.stream:
            turn.flow = flow
            return None
        try:
            async with asyncio.timeout(max(0.0, turn.left_s())):
                if await self._trickles(turn, endpoint, call, flow):
                    endpoint.breaker.fail_late()
                    return ProviderFailure(Kind.TIMEOUT)
        except TimeoutError:
            return ProviderFailure(Kind.TIMEOUT)
        except ProviderFailure as failure:
            return failure
        finally:
            await flow.aclose()
        return None

    async def _trickles(self, turn: Turn, endpoint: Endpoint, call: ProviderCall, flow: AsyncGenerator[str, None]) -> bool:
        """Read the whole answer and return False; True where it comes so slowly that the next model had better be asked."""
        s = self._settings
        seen, until = call.seen_tokens, time.monotonic() + s.trickle_window_s
        async for _ in flow:
            if turn.answer is None and endpoint is not self._endpoints[-1] and time.monotonic() >= until:
                if call.seen_tokens - seen < s.trickle_tokens:
                    return True
                seen, until = call.seen_tokens, time.monotonic() + s.trickle_window_s
        return False

    async def _flow(self, turn: Turn, endpoint: Endpoint, held: Reservation, call: ProviderCall) -> AsyncGenerator[str, None]:
        """Yield the pieces; at the end set `answer`. However it ends, the reservation knows what was seen."""
        prompts = tuple(m.content for m in turn.prompt)
        text: list[str] = []
        latest = time.monotonic() + self._settings.stream_max_s
        try:
            async for piece in call.pieces():
                if time.monotonic() > latest:
                    raise ProviderFailure(Kind.TIMEOUT)
                text.append(piece)
                yield piece
        except ProviderFailure:
            endpoint.breaker.fail_late()
            raise
        finally:
            call.close()
            held.usage = estimate_usage(prompts, call.seen_tokens)
        if call.overflowed:
            turn.cache_key = None  # cut by us: not the answer that another call would give
        held.usage = call.billed or held.usage
        held.complete = True
        turn.answer = Answer(text="".join(text), finish_reason=_reason(call.finish_reason), usage=held.usage)

    def _degrade(self, turn: Turn, failure: ProviderFailure | None) -> None:
        """Set the degraded answer, or raise what went wrong where fallback is switched off."""
        if not self._settings.fallback:
            raise self._typed(failure)
        turn.fallback = True
        if turn.stale is not None:
            turn.answer, turn.cache, turn.degraded = turn.stale, "stale", "stale_cache"
        else:
            turn.answer = Answer(text=CANNED, finish_reason="stop", usage=Usage(prompt_tokens=0, completion_tokens=0))
            turn.degraded = "canned"

    def _typed(self, failure: ProviderFailure | None) -> UpstreamFailed:
        if failure is None:
            retry_s = max(1, round(self._endpoints[0].retry_in_s()))
            return UpstreamFailed(
                "The model provider is not being asked at the moment.",
                status=503,
                code="circuit_open",
                headers={"retry-after": str(retry_s)},
            )
        if failure.kind is Kind.TIMEOUT or failure.status == 408:
            return UpstreamFailed("The model provider did not answer in time.", status=504, code="upstream_timeout")
        return UpstreamFailed("The model provider failed.")


def _reason(given: str | None) -> str:
    """Return a finish reason that is ours; a provider's own word never reaches a client."""
    return given if given in ("stop", "length", "content_filter") else "stop"
