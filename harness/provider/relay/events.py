"""A real provider's stream, event by event: which one carries text, which one the usage, which one the end."""

import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec


class What(enum.Enum):
    """What an event is for."""

    CONTENT = "content"
    FINISH = "finish"
    USAGE = "usage"
    DONE = "done"
    OTHER = "other"  # a role, a comment, a keep-alive
    END = "end"  # nothing comes any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event as it came. usage: (prompt, completion) tokens where it tells them."""

    what: What
    data: bytes = b""
    usage: tuple[int, int] | None = None


class _Usage(msgspec.Struct, frozen=True):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Choice(msgspec.Struct, frozen=True):
    delta: dict[str, object] | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct, frozen=True):
    choices: list[_Choice] = []
    usage: _Usage | None = None


class Whole(msgspec.Struct, frozen=True):
    """The part of a whole answer that is billed."""

    usage: _Usage | None = None

    @classmethod
    def usage_in(cls, body: bytes) -> tuple[int, int] | None:
        """Return the (prompt, completion) tokens that an answer tells; None where it does not."""
        try:
            usage = msgspec.json.decode(body, type=cls).usage
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        return None if usage is None else (usage.prompt_tokens, usage.completion_tokens)


class Events:
    """Splits what comes into events; one is looked at ahead. piece: returns the next bytes of the body, none at its end."""

    def __init__(self, piece: Callable[[], Awaitable[bytes]]) -> None:
        self._piece = piece
        self._buffer = b""
        self._ahead: Event | None = None
        self._over = False

    async def ahead(self) -> Event:
        """Return the next event without taking it."""
        if self._ahead is None:
            self._ahead = await self._next()
        return self._ahead

    def take(self) -> None:
        """Take the event that was looked at."""
        self._ahead = None

    async def _next(self) -> Event:
        while True:
            event, between, rest = self._split()
            if between:
                self._buffer = rest
                if event.strip():
                    return understood(event + between)
                continue
            if self._over:
                left, self._buffer = self._buffer, b""
                return understood(left) if left.strip() else Event(what=What.END)
            data = await self._piece()
            self._over = not data
            self._buffer += data

    def _split(self) -> tuple[bytes, bytes, bytes]:
        found = [self._buffer.partition(between) for between in (b"\n\n", b"\r\n\r\n")]
        return min(found, key=lambda parts: len(parts[0]))


def understood(data: bytes) -> Event:
    """Return one event, separators included, with what it is for. What cannot be read is passed on as it is."""
    text = b"\n".join(line[5:].strip() for line in data.splitlines() if line.startswith(b"data:"))
    if text == b"[DONE]":
        return Event(what=What.DONE, data=data)
    try:
        chunk = msgspec.json.decode(text, type=_Chunk)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Event(what=What.OTHER, data=data)
    usage = None if chunk.usage is None else (chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
    if any(_says(choice.delta) for choice in chunk.choices):
        return Event(what=What.CONTENT, data=data, usage=usage)
    if any(choice.finish_reason for choice in chunk.choices):
        return Event(what=What.FINISH, data=data, usage=usage)
    return Event(what=What.USAGE if usage is not None and not chunk.choices else What.OTHER, data=data, usage=usage)


def _says(delta: dict[str, object] | None) -> bool:
    """Return whether there is something of an answer in it: text, a refusal, reasoning, a call of a tool."""
    return any(value for name, value in (delta or {}).items() if name not in ("role", "function_call_id"))
