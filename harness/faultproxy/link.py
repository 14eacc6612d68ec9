"""One connection through a proxy: a client side, a server side, and a pipe each way."""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from harness.faultproxy.conversation import Conversation, Ear, Gate
from harness.faultproxy.pipe import Pipe, discard
from harness.faultproxy.toxic import Direction, Toxic
from harness.faultproxy.toxics.stage import Data, Ending

if TYPE_CHECKING:
    from harness.faultproxy.proxy import Proxy

_LINGER_0 = struct.pack("ii", 1, 0)  # closing then sends RST


class Side(asyncio.Protocol):
    """One of the two sockets of a link. `feed` and `end` lead into the pipe that this side sends into."""

    __slots__ = ("end", "feed", "link", "lost", "outbound", "transport")

    feed: Callable[[Data], None]
    end: Callable[[Ending], None]
    outbound: Pipe  # the pipe whose receiver this side is

    def __init__(self, link: "Link") -> None:
        self.link = link
        self.transport: asyncio.Transport | None = None
        self.feed = discard
        self.lost = False

    # -- called by the loop -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket; the link decides what happens next."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        # uvloop keeps what is below the limit until the end of the loop's turn; with no limit each write goes out at once,
        # and a receiver that does not read holds its sender up without a buffer of ours between them.
        self.transport.set_write_buffer_limits(high=0)
        self.link.connected(self)

    def data_received(self, data: bytes) -> None:
        """Push bytes into the pipe."""
        self.feed(data)

    def eof_received(self) -> bool:
        """Send the end after the bytes; True keeps the other direction alive."""
        self.link.sender_ended(self, Ending.FIN)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the socket."""
        self.lost = True
        self.link.lost(self, exc)

    def pause_writing(self) -> None:
        """The receiver is slow: stop reading from the sender."""
        self.outbound.hold()

    def resume_writing(self) -> None:
        """The receiver has caught up."""
        self.outbound.unhold()

    # -- called by pipes and the link -------------------------------------------------------------------------------

    def end_writing(self) -> None:
        """Send FIN after what was written."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write_eof()

    def pause(self) -> None:
        """Stop reading."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    def close(self) -> None:
        """Close after what was written."""
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        """Close now."""
        if self.transport is not None:
            self.transport.abort()

    def linger_0(self) -> None:
        """Make the close that follows an RST."""
        if self.transport is not None and not self.lost:
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)


class Link:
    """A client's connection and the server's that belongs to it. The server is dialled on accept."""

    __slots__ = ("_dial", "_early", "_early_end", "client", "closed", "downstream", "proxy", "server", "upstream")

    def __init__(self, proxy: "Proxy", number: int) -> None:
        self.proxy = proxy
        self.closed = False
        self._dial: asyncio.Task[None] | None = None
        self._early: list[Data] = []  # what the client sent before the server was there
        self._early_end = False
        self.client, self.server = Side(self), Side(self)
        seed = f"{proxy.seed}|{proxy.name}|{number}"
        self.upstream = Pipe(self, self.client, self.server, f"{seed}|{Direction.UPSTREAM}")
        self.downstream = Pipe(self, self.server, self.client, f"{seed}|{Direction.DOWNSTREAM}")
        self.client.outbound, self.server.outbound = self.downstream, self.upstream

    @property
    def live(self) -> bool:
        """Both sides are connected and the pipes are open."""
        return self.server.transport is not None and not self.closed

    def pipe(self, direction: Direction) -> Pipe:
        """Return the pipe of one direction."""
        return self.upstream if direction is Direction.UPSTREAM else self.downstream

    # -- edits ------------------------------------------------------------------------------------------------------

    def add(self, toxic: Toxic, *, joining: bool) -> None:
        """Put a toxic into the pipe that it acts on. joining: bytes may have passed before it came."""
        pipe = self.pipe(toxic.direction)
        stage = toxic.stage(pipe, pipe.seed)
        if toxic.requests is None:
            pipe.add(toxic, stage)
            return
        talk = Conversation(toxic.requests, joining=joining)
        if pipe is self.downstream:
            # Before all others: a request that a toxic drops would else have an answer of which nobody had heard.
            self.upstream.add(toxic, Ear(self.upstream, talk.requests, stage), first=True)
            pipe.add(toxic, Gate(pipe, talk.answers, stage))
        else:
            pipe.add(toxic, Gate(pipe, talk.requests, stage))

    def edit(self, toxic: Toxic) -> None:
        """Let an edit take effect."""
        self.pipe(toxic.direction).edit(toxic)

    def remove(self, toxic: Toxic) -> None:
        """Take a toxic out."""
        self.upstream.remove(toxic)
        self.downstream.remove(toxic)

    # -- the connection ---------------------------------------------------------------------------------------------

    def connected(self, side: Side) -> None:
        """A socket is there: dial the server for a client's, open the pipes for a server's."""
        loop = asyncio.get_running_loop()
        if side is self.client:
            side.feed = self._early.append
            loop.call_soon(self._wait)  # uvloop starts to read after this call, whatever is said within it
            self.proxy.links.add(self)
            self._dial = loop.create_task(self._connect())
        elif self.closed:
            side.abort()
        else:
            self.upstream.open()
            self.downstream.open()
            for toxic in self.proxy.toxics.values():
                self.add(toxic, joining=False)
            for data in self._early:
                self.client.feed(data)
            self._early.clear()
            if self._early_end:
                self.sender_ended(self.client, Ending.FIN)

    def _wait(self) -> None:
        if self.server.transport is None:
            self.client.pause()

    async def _connect(self) -> None:
        host, port = self.proxy.upstream_address
        try:
            await asyncio.get_running_loop().create_connection(lambda: self.server, host, port)
        except OSError:
            self.close()  # as Toxiproxy: the client was accepted, and sees the end
            return
        if not self.closed:
            self.client.resume()

    def sender_ended(self, side: Side, ending: Ending) -> None:
        """The end of one side's bytes goes into its pipe, once."""
        pipe = self.upstream if side is self.client else self.downstream
        if self.server.transport is None:
            self._early_end = True
        elif not pipe.ended and not self.closed:
            pipe.ended = True
            side.end(ending)

    def lost(self, side: Side, exc: Exception | None) -> None:
        """A socket is gone: what was read from it still goes on, nothing can be sent to it any more."""
        if self.client.lost and (self.server.lost or self.server.transport is None):
            self.close()
            self.proxy.links.discard(self)
        if self.closed:
            return
        side.outbound.stop()
        inbound = self.upstream if side is self.client else self.downstream
        if inbound.done:
            self.reset()
        else:
            self.sender_ended(side, Ending.RST if exc is not None else Ending.CUT)

    def half_done(self) -> None:
        """One direction has ended; the second one ends the connection."""
        if self.upstream.done and self.downstream.done:
            self.close()

    def close(self, *, now: bool = False) -> None:
        """Close both sockets: after what was written, or at once."""
        self._stop()
        for side in (self.client, self.server):
            if now:
                side.abort()
            else:
                side.close()

    def reset(self, *, flush: bool = False) -> None:
        """Send RST to both ends: at once, or after what was written."""
        for side in (self.client, self.server):
            side.linger_0()
        self.close(now=not flush)

    def _stop(self) -> None:
        self.closed = True
        if self._dial is not None and not self._dial.done() and asyncio.current_task() is not self._dial:
            self._dial.cancel()
        self.upstream.stop()
        self.downstream.stop()
