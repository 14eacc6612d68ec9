"""One direction of an HTTP/1.1 connection, cut where messages begin and end: the same bytes in the same order.

What is no HTTP passes with no message to it, and so does the rest of that direction until it is joined again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from harness.faultproxy.framing import Body, Head, NotHttpError, head_end, read_head


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Bytes of one message, or of none. begins: the message begins with them. picked: a trigger picked its request."""

    data: bytes
    begins: bool = False
    picked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Framed:
    """What follows a head, and whether its request was picked."""

    body: Body
    picked: bool


class Reader:
    """Reads one direction.

    may_begin: whether bytes could be the start of a message. frame: from a whole head to what follows it; may raise
    NotHttpError. rejoin: whether bytes, once the reader is lost, begin a message for certain.
    lost: begin in the middle of a connection.
    """

    def __init__(
        self,
        *,
        may_begin: Callable[[bytes], bool],
        frame: Callable[[Head], Framed],
        rejoin: Callable[[bytes], bool],
        lost: bool,
    ) -> None:
        self._may_begin = may_begin
        self._frame = frame
        self._rejoin = rejoin
        self._lost = lost
        self._head = b""
        self._body: Body | None = None
        self._picked = False

    @property
    def in_picked(self) -> bool:
        """Whether what comes next still belongs to a picked message."""
        return self._body is not None and self._picked

    def restart(self) -> None:
        """Take what comes next for the beginning of a message."""
        self._lost, self._body = False, None

    def rest(self) -> bytes:
        """Return, once, the beginning of a head that is not whole yet."""
        rest, self._head = self._head, b""
        return rest

    def feed(self, data: bytes) -> Iterator[Part]:
        """Yield these bytes, those of a head only once it is whole."""
        if self._lost:
            if not self._rejoin(data):
                yield Part(data=data)
                return
            self.restart()
        data = self.rest() + data
        while data:
            try:
                begins = self._body is None
                length = self._begin(data) if self._body is None else self._body.take(data)
            except NotHttpError:
                self._lost, self._body = True, None
                yield Part(data=data)
                return
            if length < 0:
                self._head = data
                return
            if self._body is not None and self._body.ended:
                self._body = None
            yield Part(data=data[:length], begins=begins, picked=self._picked)
            data = data[length:]

    def _begin(self, data: bytes) -> int:
        """Return the length of the head, -1 where it is not whole yet. Raises NotHttpError."""
        if not self._may_begin(data):
            raise NotHttpError
        end = head_end(data)
        if end >= 0:
            framed = self._frame(read_head(data[:end]))
            self._body, self._picked = framed.body, framed.picked
        return end
