"""All proxies of the process, and what every toxic ever touched."""

import asyncio

from harness.faultproxy.failure import ApiError, conflict, not_found
from harness.faultproxy.proxy import Proxy
from harness.faultproxy.toxic import Toxic
from harness.faultproxy.toxics.stage import Tally


class Proxies:
    """The collection. Calls that change it hold `lock`, so that each one is seen whole or not at all."""

    def __init__(self, *, seed: int) -> None:
        self.seed = seed
        self.lock = asyncio.Lock()
        self.by_name: dict[str, Proxy] = {}
        self._acted: dict[str, dict[str, Tally]] = {}

    def proxy(self, name: str) -> Proxy:
        """Return a proxy. Raises ApiError (404)."""
        if name not in self.by_name:
            raise not_found("proxy")
        return self.by_name[name]

    def new(self, *, name: str, listen: str, upstream: str) -> Proxy:
        """Return a proxy that is not in the collection yet."""
        return Proxy(name=name, listen=listen, upstream=upstream, seed=self.seed)

    async def add(self, proxy: Proxy, *, enabled: bool) -> None:
        """Take a proxy in, listening if enabled. Raises ApiError (409, 500); it is then not in the collection."""
        if proxy.name in self.by_name:
            raise conflict("proxy")
        if enabled:
            await proxy.start()
        self.by_name[proxy.name] = proxy
        for toxic in proxy.toxics.values():
            self.record(proxy, toxic)

    async def add_or_replace(self, proxy: Proxy, *, enabled: bool) -> Proxy:
        """Take a proxy in; one of the same name and addresses stays as it is. Raises ApiError (500)."""
        existing = self.by_name.get(proxy.name)
        if existing is not None:
            if existing.upstream == proxy.upstream and await existing.listens_on(proxy.listen):
                return existing
            existing.stop()
            del self.by_name[proxy.name]
        await self.add(proxy, enabled=enabled)
        return proxy

    def remove(self, proxy: Proxy) -> None:
        """Stop a proxy and forget it; its counts stay."""
        proxy.stop()
        del self.by_name[proxy.name]

    async def reset(self) -> None:
        """Remove every toxic, then enable every proxy. Raises the first ApiError after all were tried."""
        for proxy in self.by_name.values():
            proxy.remove_all()
        failures: list[ApiError] = []
        for proxy in self.by_name.values():
            try:
                await proxy.start()
            except ApiError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def close(self) -> None:
        """Stop every proxy."""
        for proxy in self.by_name.values():
            proxy.stop()

    # -- proof ------------------------------------------------------------------------------------------------------

    def record(self, proxy: Proxy, toxic: Toxic) -> None:
        """Count for a new toxic from zero; the counts of an earlier one of that name end here."""
        self._acted.setdefault(proxy.name, {})[toxic.name] = toxic.tally

    def acted(self) -> dict[str, dict[str, dict[str, int]]]:
        """Return what each toxic really touched, removed ones too: proxy, toxic, counts."""
        return {proxy: {toxic: _shown(tally) for toxic, tally in toxics.items()} for proxy, toxics in self._acted.items()}


def _shown(tally: Tally) -> dict[str, int]:
    counts = {"connections": tally.connections, "bytes": tally.bytes, "connections_refused": tally.connections_refused}
    return counts if tally.requests is None else counts | {"requests": tally.requests}
