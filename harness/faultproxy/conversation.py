"""One connection as HTTP requests and their answers, for a toxic that acts on some of them only.

Ear    in the upstream pipe of a toxic that acts on answers: hears which requests there are, changes nothing
Gate   around the toxic: its stage gets the messages that were picked, all else passes it by, in order
"""

from collections import deque
from typing import ClassVar

from harness.faultproxy.framing import (
    Head,
    Length,
    NotHttpError,
    UntilTheEnd,
    begins_request,
    body_of,
    may_begin_request,
    may_begin_response,
)
from harness.faultproxy.reader import Framed, Reader
from harness.faultproxy.requests import Requests
from harness.faultproxy.toxics.stage import Data, Ending, Feed, Finish, Line, Stage, Tally


class Conversation:
    """What one triggered toxic knows of one connection.

    joining: the connection was there before the toxic. It is joined at the next request whose head begins a read of its
    own, as it does on every connection that does not pipeline.
    """

    def __init__(self, requests: Requests, *, joining: bool) -> None:
        self._requests = requests
        self._asked: deque[tuple[str, bool]] = deque()  # method and whether picked, of requests without an answer yet
        self.requests = Reader(may_begin=may_begin_request, frame=self._request, rejoin=self._rejoin, lost=joining)
        self.answers = Reader(may_begin=may_begin_response, frame=self._answer, rejoin=lambda _: False, lost=joining)

    def _rejoin(self, data: bytes) -> bool:
        if not begins_request(data):
            return False
        self._asked.clear()
        self.answers.restart()
        return True

    def _request(self, head: Head) -> Framed:
        picked = self._requests.picks(head)
        self._asked.append((head.first, picked))
        tunnel = head.first == "CONNECT"
        return Framed(body=UntilTheEnd() if tunnel else body_of(head.fields, Length(0)), picked=picked)

    def _answer(self, head: Head) -> Framed:
        if not self._asked or not (head.second.isascii() and head.second.isdigit()):
            raise NotHttpError
        status, (method, picked) = int(head.second), self._asked[0]
        if 100 <= status < 200 and status != 101:
            return Framed(body=Length(0), picked=picked)  # the answer itself is still to come
        self._asked.popleft()
        if status == 101 or method == "CONNECT":
            return Framed(body=UntilTheEnd(), picked=picked)
        if method == "HEAD" or status in {204, 304}:
            return Framed(body=Length(0), picked=picked)
        return Framed(body=body_of(head.fields, UntilTheEnd()), picked=picked)


class Ear(Stage):
    """Hears the requests of a connection; passes everything on at once."""

    TYPE: ClassVar[str] = "ear"
    __slots__ = ("_reader",)

    def __init__(self, line: Line, reader: Reader, like: Stage) -> None:
        super().__init__(line, like.attributes, Tally(), like.rng)
        self._reader = reader

    def feed(self, data: Data) -> None:
        """Hear the bytes before they go on: an answer may come before this returns."""
        for _ in self._reader.feed(bytes(data)):
            pass
        self.out_feed(data)


class Gate(Stage):
    """Lets a toxic at the messages that were picked, and nothing else."""

    TYPE: ClassVar[str] = "gate"
    __slots__ = ("_inner", "_met", "_reader")

    def __init__(self, line: Line, reader: Reader, inner: Stage) -> None:
        super().__init__(line, inner.attributes, inner.tally, inner.rng)
        self._reader = reader
        self._inner = inner
        self._met = False

    def link(self, feed: Feed, end: Finish) -> None:
        """Say where bytes and the end go from here, and from the toxic."""
        super().link(feed, end)
        self._inner.link(feed, end)

    def feed(self, data: Data) -> None:
        """Give picked messages to the toxic, and let all else follow what it holds."""
        for part in self._reader.feed(bytes(data)):
            if not part.picked:
                self._inner.follow(part.data)
                continue
            if part.begins:
                self._met = True
                self._inner.begin_request()
            self._inner.feed(part.data)

    def end(self, ending: Ending) -> None:
        """Give the end to the toxic where it belongs to a picked message."""
        picked = self._reader.in_picked
        self._pass_rest()
        if picked:
            self._inner.end(ending)
        else:
            self._inner.follow(ending)

    def edited(self) -> None:
        """Let the toxic know, where it has met this connection."""
        if self._met:
            self._inner.edited()

    def release(self) -> None:
        """Pass on everything that is held."""
        self._inner.release()
        self._pass_rest()

    def removed(self) -> None:
        """Leave the connection; one that the toxic never met does not notice."""
        if self._met:
            self._inner.removed()
        if not self.line.done:
            self._pass_rest()

    def stop(self) -> None:
        """Cancel timers, drop what is held."""
        self._inner.stop()

    def _pass_rest(self) -> None:
        if rest := self._reader.rest():
            self._inner.follow(rest)
