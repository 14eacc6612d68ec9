"""One proxy: a listener, an upstream address, the toxics before it and the links through it."""

import asyncio
from collections.abc import Iterator
from typing import Any

from harness.faultproxy.address import Address, checked_upstream, joined, listen_socket, resolve
from harness.faultproxy.link import Link, Side
from harness.faultproxy.toxic import Direction, Toxic

BACKLOG = 4096


class Proxy:
    """A proxy as its owner set it. listen: as given, or as resolved once it has started."""

    def __init__(self, *, name: str, listen: str, upstream: str, seed: int) -> None:
        self.name = name
        self.listen = listen
        self.upstream = upstream
        self.seed = seed
        self.enabled = False
        self.toxics: dict[str, Toxic] = {}
        self.links: set[Link] = set()
        self._accepted = 0
        self._server: asyncio.Server | None = None
        self._upstream_address: Address | None = None

    @property
    def upstream_address(self) -> Address:
        """Where the server is."""
        if self._upstream_address is None:
            self._upstream_address = checked_upstream(self.upstream)
        return self._upstream_address

    def shown(self) -> dict[str, Any]:  # JSON of the API, not a noun of ours
        """Return the proxy as the API shows it."""
        return {
            "name": self.name,
            "listen": self.listen,
            "upstream": self.upstream,
            "enabled": self.enabled,
            "Logger": {},
            "toxics": [shown_toxic(toxic) for toxic in self.chain()],
        }

    def chain(self) -> list[Toxic]:
        """Return the toxics in the API's order: upstream chain first."""
        return [toxic for direction in Direction for toxic in self.toxics_of(direction)]

    def toxics_of(self, direction: Direction) -> Iterator[Toxic]:
        """Yield the toxics of one direction in the order of their creation."""
        return (toxic for toxic in self.toxics.values() if toxic.direction is direction)

    # -- listening --------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen. Raises ApiError (500) where the address is taken or wrong; the proxy is then as it was."""
        if self._server is not None:
            return
        listening = await listen_socket(self.listen)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, sock=listening, backlog=BACKLOG)
        self.listen = joined(*listening.getsockname()[:2])
        self.enabled = True

    @property
    def full(self) -> bool:
        """Whether it is enabled and takes no new connection."""
        return self.enabled and self._server is None

    def refuse_new(self) -> None:
        """Stop listening, and let every link live on."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def stop(self) -> None:
        """Stop listening and close every link: new connections are refused from here on."""
        self.enabled = False
        self.refuse_new()
        for link in list(self.links):
            link.close(now=True)

    async def move(self, *, listen: str, upstream: str, enabled: bool) -> None:
        """Take new addresses, which closes every link, and be enabled or not. Raises ApiError (500)."""
        checked_upstream(upstream)
        if upstream != self.upstream or not await self.listens_on(listen):
            self.stop()
            self.listen, self.upstream, self._upstream_address = listen, upstream, None
        if not enabled:
            self.stop()
        elif not self.enabled:
            await self.start()

    async def listens_on(self, listen: str) -> bool:
        """Whether an address, once resolved, is this proxy's. Raises ApiError (500)."""
        _, address = await resolve(listen)
        return joined(*address) == self.listen

    def _accept(self) -> Side:
        self._accepted += 1
        return Link(self, self._accepted).client

    # -- toxics -----------------------------------------------------------------------------------------------------

    def add(self, toxic: Toxic) -> None:
        """Add a toxic, on live links too."""
        self.toxics[toxic.name] = toxic
        for link in self._live():
            link.add(toxic, joining=True)

    def edited(self, toxic: Toxic) -> None:
        """Let an edit take effect on live links."""
        toxic.edits += 1
        for link in self._live():
            link.edit(toxic)

    def remove(self, toxic: Toxic) -> None:
        """Remove a toxic, from live links too; never waits."""
        del self.toxics[toxic.name]
        for link in self._live():
            link.remove(toxic)

    def remove_all(self) -> None:
        """Remove every toxic."""
        for toxic in list(self.toxics.values()):
            self.remove(toxic)

    def _live(self) -> list[Link]:
        return [link for link in self.links if link.live]


def shown_toxic(toxic: Toxic) -> dict[str, Any]:
    """Return a toxic as the API shows it."""
    shown: dict[str, Any] = {
        "attributes": toxic.attributes,
        "name": toxic.name,
        "type": toxic.type,
        "stream": toxic.stream,
        "toxicity": toxic.toxicity,
    }
    if toxic.requests is not None:
        shown["requests"] = toxic.requests.values
    return shown
