"""An endpoint: its address, its breaker, the time until which it asked to be left alone."""

import math
import time
from collections.abc import Callable
from typing import Literal

import aiohttp
import msgspec

from reference_service.breaker import Breaker, Permit
from reference_service.provider.call import CallTimes, ProviderCall
from reference_service.settings import Settings
from reference_service.turn import Turn


class Endpoint:
    """One provider endpoint. now: a monotonic clock in seconds."""

    calls: type[ProviderCall] = ProviderCall

    def __init__(
        self,
        name: Literal["primary", "secondary"],
        url: str,
        settings: Settings,
        breaker: Breaker,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.breaker = breaker
        self._url = f"{url}/chat/completions"
        self._settings = settings
        self._now = now
        self._not_before = 0.0
        self._session: aiohttp.ClientSession | None = None

    def admit(self) -> Permit | None:
        """Return a permit to call, or None while the circuit is open or the endpoint asked for quiet."""
        return None if self._now() < self._not_before else self.breaker.admit()

    @property
    def would_admit(self) -> bool:
        """Return whether a call would be let through now, without taking a probe's place."""
        return self._now() >= self._not_before and self.breaker.state != "open"

    def hold_off(self, seconds: float) -> None:
        """Leave the endpoint alone for that long; the latest deadline wins. Capped at a minute."""
        if math.isfinite(seconds):
            self._not_before = max(self._not_before, self._now() + min(seconds, 60.0))

    def retry_in_s(self) -> float:
        """Return the seconds until it is worth asking again, at least one."""
        return max(1.0, self._not_before - self._now())

    async def call(self, turn: Turn, model: str, *, first_content_s: float) -> ProviderCall:
        """Return a call that has received its first content. Raises ProviderFailure."""
        s = self._settings
        call = self.calls(
            self._client(), CallTimes(first_content_s=first_content_s, idle_s=s.idle_timeout_s), max_bytes=s.answer_max_bytes
        )
        await call.open(self._url, self.headers(turn), self.body(turn, model))
        return call

    def headers(self, turn: Turn) -> dict[str, str]:
        """Return the headers that go upstream; the request id is passed on."""
        return {
            "authorization": f"Bearer {self._settings.provider_key}",
            "content-type": "application/json",
            "x-request-id": turn.request_id,
        }

    def body(self, turn: Turn, model: str) -> bytes:
        """Return the body that goes upstream."""
        return request_body(turn, model)

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=1000, keepalive_timeout=15),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._settings.connect_timeout_s),
                auto_decompress=False,
                headers={"accept-encoding": "identity"},
                trust_env=False,
            )
        return self._session


def request_body(turn: Turn, model: str) -> bytes:
    """Return what is sent upstream: our model, our cap on tokens, always a stream with its usage."""
    question = turn.asked
    return msgspec.json.encode(
        {
            **question.parameters,
            "model": model,
            "messages": [{"role": m.role, "content": m.content} for m in turn.prompt],
            "max_tokens": turn.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    )
