"""What will be sent in one call, in order: a short list of parts that faults may edit before the first byte.

Parts stay short (an answer's tokens are one part) and become bytes only when they are due.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import TYPE_CHECKING

import msgspec

from harness.provider.framing import chunk
from harness.provider.generation import WORDS

if TYPE_CHECKING:
    from harness.provider.faults.base import ProviderFault


class Kind(enum.IntEnum):
    """What a step means for the records."""

    PLAIN = 0
    TOKEN = 1  # a new token that carries content
    REPEAT = 2  # content that was sent before: a chunk, but no new token
    BLANK = 3  # a token that was generated and does not show
    BODY = 4  # a whole answer
    HOLD = 5
    MARK = 6
    CLOSE = 7
    RESET = 8


class Place(enum.Enum):
    """Which piece of an answer a `Piece` is, for faults that look for it."""

    HEAD = "head"
    ROLE = "role"
    FINISH = "finish"
    USAGE = "usage"
    DONE = "done"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Bytes as they go over the wire, sent whole."""

    place: Place
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """A run of content chunks: `first_wait_ns`, then one each `gap_ns`.

    prefix, suffix: what stands around the word, which is written as a JSON string. blank: sent in place of each chunk.
    copies: how often each chunk is sent.
    """

    words: tuple[str, ...]
    first_wait_ns: int
    gap_ns: int
    prefix: bytes
    suffix: bytes
    chunked: bool
    copies: int = 1
    blank: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """An answer that is not streamed: sent when its last token would have been.

    tokens: how many it takes to generate. split: where the head ends within `data`.
    """

    data: bytes
    split: int
    tokens: int
    first_wait_ns: int
    gap_ns: int

    @property
    def wait_ns(self) -> int:
        """The same total time as a stream of as many tokens."""
        return self.first_wait_ns + max(self.tokens - 1, 0) * self.gap_ns

    def generated(self, elapsed_ns: int) -> int:
        """Return how many tokens exist after `elapsed_ns`: what a client that leaves early is billed."""
        if elapsed_ns < self.first_wait_ns:
            return 0
        return min(self.tokens, 1 + (elapsed_ns - self.first_wait_ns) // max(self.gap_ns, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A wait that ends when the fault lets go, or after `for_ns`."""

    fault: ProviderFault
    for_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The moment at which a fault has touched the call."""

    fault: ProviderFault


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """The end of the connection, with FIN or (abruptly) RST."""

    abruptly: bool = False


_SAID = {word: msgspec.json.encode(word) for word in WORDS}

Part = Piece | Tokens | Body | Hold | Mark | Close
Step = tuple[int, bytes, Kind, Part]
"""Nanoseconds to wait after the last step was due, what to send then, what it means, and the part that it is of."""


@dataclass(slots=True, kw_only=True)
class Script:
    """The parts of one call.

    status_code: None where no status line is ever sent. ended: what the record says once all parts are through.
    keep_alive: False closes the connection behind the last part.
    """

    parts: list[Part] = field(default_factory=list)
    status_code: int | None = 200
    ended: str = "completed"
    chunked: bool = True
    keep_alive: bool = True

    def after_content(self, chunks: int) -> int | None:
        """Return the index right behind the first `chunks` content chunks, splitting there.

        Of an answer that is not streamed: the middle of its body. None where the answer has less content.
        """
        seen = 0
        for index, part in enumerate(self.parts):
            if isinstance(part, Body):
                middle = part.split + (len(part.data) - part.split) // 2
                whole = replace(part, data=part.data[:middle])
                self.parts[index : index + 1] = [whole, Piece(place=Place.OTHER, data=part.data[middle:])]
                return index + 1
            if not isinstance(part, Tokens):
                continue
            rest = chunks - seen
            if rest == 0:
                return index
            if rest < len(part.words):
                later = replace(part, words=part.words[rest:], first_wait_ns=part.gap_ns)
                self.parts[index : index + 1] = [replace(part, words=part.words[:rest]), later]
                return index + 1
            seen += len(part.words)
            if seen == chunks:
                return index + 1
        return None

    @property
    def streamed(self) -> bool:
        """Whether there is a stream of tokens."""
        return any(isinstance(part, Tokens) for part in self.parts)

    def before_content(self) -> int | None:
        """Return the index of the first content, or None where there is none."""
        return next((index for index, part in enumerate(self.parts) if isinstance(part, Tokens | Body)), None)

    def half_of_next(self, index: int) -> bytes:
        """Return the first half of the bytes that would be sent next from there."""
        data = next((data for _, data, _, _ in Script(parts=self.parts[index:]).steps() if data), b"")
        return data[: len(data) // 2]

    def separate_head(self) -> tuple[int, bytes] | None:
        """Return where the head stands and its bytes, as a part of its own; None where there is none."""
        for index, part in enumerate(self.parts):
            if isinstance(part, Piece) and part.place is Place.HEAD:
                return index, part.data
            if isinstance(part, Body):
                first = Piece(place=Place.HEAD, data=part.data[: part.split])
                self.parts[index : index + 1] = [first, replace(part, data=part.data[part.split :], split=0)]
                return index, first.data
        return None

    def terminator(self) -> list[Part]:
        """Return what ends a stream's body on the wire."""
        return [Piece(place=Place.OTHER, data=b"0\r\n\r\n")] if self.chunked else []

    def index_of(self, place: Place) -> int | None:
        """Return where the first piece of that place stands, or None."""
        for index, part in enumerate(self.parts):
            if isinstance(part, Piece) and part.place is place:
                return index
        return None

    def frame(self, payload: bytes) -> bytes:
        """Return a payload as this answer's stream carries it."""
        return chunk(payload) if self.chunked else payload

    def steps(self) -> Iterator[Step]:
        """Unroll the parts, each into bytes only when it is asked for."""
        for part in self.parts:
            if isinstance(part, Tokens):  # unrolled here, not in a generator of its own: this is resumed for every token
                wait_ns, kind = part.first_wait_ns, Kind.TOKEN if part.blank is None else Kind.BLANK
                again = part.copies - 1
                for data in _framed(part):
                    yield wait_ns, data, kind, part
                    wait_ns = part.gap_ns
                    for _ in range(again):
                        yield 0, data, Kind.REPEAT, part
            elif isinstance(part, Piece):
                yield 0, part.data, Kind.PLAIN, part
            elif isinstance(part, Body):
                yield part.wait_ns, part.data, Kind.BODY, part
            elif isinstance(part, Hold):
                yield 0, b"", Kind.HOLD, part
            elif isinstance(part, Mark):
                yield 0, b"", Kind.MARK, part
            else:
                yield 0, b"", Kind.RESET if part.abruptly else Kind.CLOSE, part


def _framed(part: Tokens) -> Iterator[bytes]:
    """Yield each chunk as it goes over the wire: what is the same for all of them is put together once."""
    if part.blank is not None:
        yield from repeat(chunk(part.blank) if part.chunked else part.blank, len(part.words))
        return
    around, back = len(part.prefix) + len(part.suffix), part.suffix + (b"\r\n" if part.chunked else b"")
    fronts: dict[int, bytes] = {}
    for word in part.words:
        said = _SAID.get(word) or msgspec.json.encode(word)
        front = fronts.get(len(said))
        if front is None:
            size = b"%x\r\n" % (around + len(said)) if part.chunked else b""
            front = fronts[len(said)] = size + part.prefix
        yield front + said + back
