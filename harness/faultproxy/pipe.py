"""One direction of one connection: from a sending side through a chain of stages to a receiving side.

With no stage the sender's bytes go straight to the receiver's transport: there is no frame of ours in between.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.faultproxy.toxic import Toxic
from harness.faultproxy.toxics.stage import Data, Ending, Stage

if TYPE_CHECKING:
    from harness.faultproxy.link import Link, Side


def discard(_data: Data) -> None:
    """Take bytes that nobody can receive any more."""


class Pipe:
    """The stages of one direction. `done`: the end has reached the receiver, or the receiver is gone."""

    __slots__ = ("_holds", "_stages", "done", "ended", "link", "seed", "sender", "sink")

    def __init__(self, link: "Link", sender: "Side", sink: "Side", seed: str) -> None:
        self.link = link
        self.sender = sender
        self.sink = sink
        self.seed = seed
        self.done = False
        self.ended = False  # the sender's end was seen
        self._holds = 0
        self._stages: list[tuple[Toxic, Stage, bool]] = []

    # -- edits ------------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Begin, with no stage yet."""
        self._relink()

    def add(self, toxic: Toxic, stage: Stage, *, first: bool = False) -> None:
        """Put a toxic's stage at the end of the chain, or before all others."""
        active = toxic.strikes(self.seed)
        self._stages.insert(0 if first else len(self._stages), (toxic, stage, active))
        self._relink()
        if active and not self.done:
            stage.start()

    def edit(self, toxic: Toxic) -> None:
        """Let a toxic's changed attributes and toxicity take effect."""
        for index, (other, stage, was_active) in enumerate(self._stages):
            if other is not toxic:
                continue
            active = toxic.strikes(self.seed)
            self._stages[index] = (toxic, stage, active)
            if self.done:
                return
            if was_active and active:
                stage.edited()
            elif was_active:
                stage.release()
                stage.stop()
            self._relink()
            if active and not was_active and not self.done:
                stage.start()
            return

    def remove(self, toxic: Toxic) -> None:
        """Take a toxic out of the chain; what it held goes on, in order."""
        for index, (other, stage, active) in enumerate(self._stages):
            if other is toxic:
                if active and not self.done:
                    stage.removed()
                    stage.stop()
                del self._stages[index]
                self._relink()
                return

    def stop(self) -> None:
        """The connection is gone: no timer of a stage may fire any more."""
        self.done = True
        for _, stage, _ in self._stages:
            stage.stop()
        self._relink()
        if self._holds:  # bytes without a receiver are read and dropped, so that the sender's end is still seen
            self.sender.resume()

    def _relink(self) -> None:
        if self.done:
            self.sender.feed = discard
            return
        assert self.sink.transport is not None
        feed: Callable[[Data], None] = self.sink.transport.write
        end: Callable[[Ending], None] = self.finish
        for _, stage, active in reversed(self._stages):
            if active:
                stage.link(feed, end)
                feed, end = stage.feed, stage.end
        self.sender.feed = feed
        self.sender.end = end

    # -- what stages ask for ----------------------------------------------------------------------------------------

    def hold(self) -> None:
        """Stop reading from the sender; calls add up."""
        self._holds += 1
        if self._holds == 1 and not self.done:
            self.sender.pause()

    def unhold(self) -> None:
        """Take one `hold` back."""
        self._holds -= 1
        if self._holds == 0 and not self.done:
            self.sender.resume()

    def reset(self) -> None:
        """Send RST to both ends, now."""
        self.link.reset()

    # -- ends -------------------------------------------------------------------------------------------------------

    def finish(self, ending: Ending) -> None:
        """The end has come through the chain to the receiver."""
        if self.done:
            return
        if ending is Ending.CUT:
            self.link.close()
        elif ending is Ending.RST or self.sender.lost:
            self.link.reset(flush=True)
        else:
            self.done = True
            self._relink()
            self.sink.end_writing()
            self.link.half_done()
