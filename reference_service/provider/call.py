"""One call of one endpoint: opened up to its first content, then read piece by piece.

Upstream is always asked for a stream, also for clients that want none: only then does a silent provider show in
1.5 s rather than at the end, and the deadline leaves room for the second model.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

import aiohttp

from reference_service.clock import wall_s
from reference_service.pricing import count_tokens
from reference_service.provider.failure import Kind, ProviderFailure
from reference_service.provider.idle import IdleWatch
from reference_service.provider.sse import ChunkReader
from reference_service.turn import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTimes:
    """Bounds of one call, seconds."""

    first_content_s: float
    idle_s: float


class ProviderCall:
    """A call under way. After `pieces` has ended well, `usage` and `finish_reason` are what the provider said."""

    def __init__(self, session: aiohttp.ClientSession, times: CallTimes, *, max_bytes: int) -> None:
        self._session = session
        self._times = times
        self._max_bytes = max_bytes
        self._response: aiohttp.ClientResponse | None = None
        self._reader = ChunkReader()
        self._ready: list[str] = []
        self._bytes = 0
        self.finish_reason: str | None = None
        self.billed: Usage | None = None
        self.overflowed = False

    @property
    def seen_tokens(self) -> int:
        """Return the completion tokens that have arrived, by our own count."""
        return -(-self._bytes // 4)

    async def open(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Send the request and wait for the first content. Raises ProviderFailure; then nothing is left open."""
        try:
            async with asyncio.timeout(self._times.first_content_s):
                await self._post(url, headers, body)
                while not self._ready and not self._reader.done:
                    await self._read()
            if not self._ready:
                raise ProviderFailure(Kind.INVALID)  # an empty answer is not an answer
        except TimeoutError as error:
            self.close()
            raise ProviderFailure(Kind.TIMEOUT) from error
        except BaseException:
            self.close()
            raise

    async def pieces(self) -> AsyncGenerator[str, None]:
        """Yield the text as it arrives. Raises ProviderFailure when the stream breaks; always closes the call."""
        watch = IdleWatch(asyncio.get_running_loop(), self._times.idle_s, self._cut)
        try:
            while True:
                if self._ready:
                    text = "".join(self._ready)
                    self._ready.clear()
                    yield text
                if self._reader.done or self._bytes > self._max_bytes:
                    break
                watch.begins()
                await self._read()
                watch.ends()
            if self._reader.done:
                if self.finish_reason is None:
                    raise ProviderFailure(Kind.INVALID)
                await self._finish()
            else:
                self.overflowed = True
                self.finish_reason = "length"  # it ignored max_tokens; nobody has to read on
        finally:
            watch.stop()
            self.close()

    def _cut(self) -> None:
        """Let the read that waits fail: the provider has been silent for too long."""
        if self._response is not None:
            self._response.content.set_exception(ProviderFailure(Kind.TIMEOUT))

    def close(self) -> None:
        """Cut the connection if the answer is not wholly read; a finished one goes back to the pool."""
        if self._response is not None:
            self._response.release()
            self._response = None

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        try:
            self._response = await self._session.post(url, data=body, headers=headers, allow_redirects=False)
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError) as error:
            raise ProviderFailure(Kind.CONNECT) from error
        except (aiohttp.ClientError, OSError) as error:
            raise ProviderFailure(Kind.LOST) from error
        if self._response.status != 200:
            raise ProviderFailure(
                Kind.STATUS, status=self._response.status, retry_after_s=retry_after_s(self._response.headers.get("retry-after"))
            )
        if self._response.content_type != "text/event-stream":
            raise ProviderFailure(Kind.INVALID)

    async def _read(self) -> None:
        """Read once; new text goes to `_ready`. Raises ProviderFailure at an end without [DONE]."""
        assert self._response is not None
        try:
            data = await self._response.content.readany()
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise ProviderFailure(Kind.LOST) from error
        if not data:
            raise ProviderFailure(Kind.LOST)
        for chunk in self._reader.feed(data):
            if chunk.usage is not None:
                self.billed = Usage(prompt_tokens=chunk.usage.prompt_tokens, completion_tokens=chunk.usage.completion_tokens)
            for choice in chunk.choices[:1]:
                if text := choice.delta.content:
                    self._bytes += len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
                    self._ready.append(text)
                if choice.finish_reason is not None:
                    self.finish_reason = choice.finish_reason

    async def _finish(self) -> None:
        """Read the end of the body after [DONE], so that the connection can be used again; not for long."""
        assert self._response is not None
        with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
            async with asyncio.timeout(0.05):
                while await self._response.content.readany():
                    pass


def retry_after_s(value: str | None, *, wall_now: float | None = None) -> float | None:
    """Return the seconds that a Retry-After header asks for (a number or an HTTP date), or None where it says nothing."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    import email.utils

    try:
        when = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, when.timestamp() - (wall_s() if wall_now is None else wall_now))


def estimate_usage(messages: tuple[str, ...], completion_tokens: int) -> Usage:
    """Return the usage of a call whose provider said none, by our own count."""
    return Usage(prompt_tokens=sum(count_tokens(m) for m in messages), completion_tokens=completion_tokens)
