"""The one interface that a toxic implements, and what it may ask of the pipe that it stands in.

Bytes are pushed: a stage gets them by `feed`, and passes them to `out_feed` now, later or never. Everything runs in
one event loop, so that an edit is atomic: between two calls no byte is in flight.
"""

import enum
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from harness.model.fault import Parameter

Data = bytes | memoryview
Number = int | float


class Ending(enum.Enum):
    """How a direction of a connection ends; it travels behind the last byte."""

    FIN = "fin"  # the sender is done; the other direction lives on
    CUT = "cut"  # a toxic closes the connection
    RST = "rst"  # the sender reset the connection


Feed = Callable[[Data], None]
Finish = Callable[[Ending], None]


@dataclass(slots=True)
class Tally:
    """What a toxic really touched. connections: each once, however often the toxic is edited.

    requests: each once; None for a toxic that acts on whole connections.
    """

    connections: int = 0
    bytes: int = 0
    connections_refused: int = 0
    requests: int | None = None


class Line(Protocol):
    """What a stage may ask of the pipe that it stands in."""

    @property
    def done(self) -> bool:
        """Whether the end has reached the receiver, or the receiver is gone."""

    def hold(self) -> None:
        """Stop reading from the sender; calls add up."""

    def unhold(self) -> None:
        """Take one `hold` back."""

    def reset(self) -> None:
        """Send RST to both ends, now."""


class Stage:
    """One toxic at work on one direction of one connection; this base passes everything on.

    attributes: the toxic's own mapping, so that an edit shows at once.
    touch: call it when bytes are delayed, changed, dropped or cut, never before: the counts are proof.
    """

    TYPE: ClassVar[str] = "noop"
    PARAMETERS: ClassVar[tuple[Parameter, ...]] = ()

    __slots__ = ("attributes", "line", "out_end", "out_feed", "rng", "tally", "touched", "uncounted")

    out_feed: Feed
    out_end: Finish

    def __init__(self, line: Line, attributes: Mapping[str, Number], tally: Tally, rng: random.Random) -> None:
        self.line = line
        self.attributes = attributes
        self.tally = tally
        self.rng = rng
        self.touched = False
        self.uncounted = False

    def link(self, feed: Feed, end: Finish) -> None:
        """Say where bytes and the end go from here."""
        self.out_feed, self.out_end = feed, end

    def start(self) -> None:
        """Begin: the stage has just been linked into a live connection."""

    def begin_request(self) -> None:
        """A request, or an answer, begins that this toxic was picked for; nothing of it has come yet."""
        self.uncounted = True
        self.start()

    def follow(self, item: Data | Ending) -> None:
        """Pass on untouched what is none of this toxic's business, behind everything that it holds."""
        if isinstance(item, Ending):
            self.out_end(item)
        else:
            self.out_feed(item)

    def feed(self, data: Data) -> None:
        """Take bytes from the sender's side."""
        self.out_feed(data)

    def end(self, ending: Ending) -> None:
        """Take the end of the stream; no `feed` follows."""
        self.out_end(ending)

    def edited(self) -> None:
        """Go on with changed attributes. What is held is released, in order, unless the toxic knows better."""
        self.release()

    def release(self) -> None:
        """Pass on everything that is held, in order, now."""

    def removed(self) -> None:
        """Leave a live connection for good."""
        self.release()

    def stop(self) -> None:
        """The connection is gone: cancel timers, drop what is held."""

    def touch(self, byte_count: int) -> None:
        """Count bytes, this connection the first time, and a picked request the first time."""
        self.tally.bytes += byte_count
        if self.uncounted:
            self.uncounted = False
            self.tally.requests = (self.tally.requests or 0) + 1
        if not self.touched:
            self.touched = True
            self.tally.connections += 1
