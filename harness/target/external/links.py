"""The links of a described target: at the embedded fault proxy where it should listen, or at a Toxiproxy in place."""

from collections.abc import Callable, Collection, Mapping
from urllib.parse import urlsplit

from harness.errors import StackError
from harness.model.target import Link
from harness.target.external.caller import Caller

_ATTEMPTS = 5


def make_link(api: str, name: str, *, upstream: str, listen: str, free_port: Callable[[], int]) -> Link:
    """Make one proxy at the embedded fault proxy. listen: `auto`, or the `HOST:PORT` that the target knows. Raises StackError."""
    caller = Caller(f"http://{api}")
    for attempt in range(_ATTEMPTS):
        where = f"127.0.0.1:{free_port()}" if listen == "auto" else listen
        answer = caller.post("/proxies", {"name": name, "listen": where, "upstream": upstream, "enabled": True})
        document = answer.json()
        if answer.status == 201 and isinstance(document, dict) and isinstance(document.get("listen"), str):
            return Link(name=name, proxy=name, toxiproxy_url=f"http://{api}", listen=document["listen"], upstream=upstream)
        if listen != "auto" or attempt == _ATTEMPTS - 1:
            break
    raise StackError(f"the link {name} cannot listen on {where}: {answer.body[:200].decode('utf-8', 'replace')}")


def find_link(url: str, proxy: str, name: str, allowed: Collection[str]) -> Link:
    """Return a link at a Toxiproxy that is in place, and through which everything goes as it should.

    What broke it before us stays as it is: it may be somebody's, and what a killed run of ours left is on its undo list.
    Raises StackError, ConfigurationError off loopback.
    """
    answer = Caller(url, allowed).get(f"/proxies/{proxy}")
    document = answer.json()
    if answer.status != 200 or not isinstance(document, dict):
        raise StackError(f"the Toxiproxy at {url} has no proxy {proxy!r} (status {answer.status})")
    listen, upstream = document.get("listen"), document.get("upstream")
    if not isinstance(listen, str) or not isinstance(upstream, str):
        raise StackError(f"the Toxiproxy at {url} does not say where the proxy {proxy!r} listens")
    if (broken := _broken(document)) is not None:
        raise StackError(
            f"the proxy {proxy!r} at {url} {broken} before anything was done",
            advice="harness clean heals what a killed run left; what is somebody else's, clear there or wait for",
        )
    port = listen.rpartition(":")[2]
    return Link(
        name=name, proxy=proxy, toxiproxy_url=url.rstrip("/"), listen=f"{urlsplit(url).hostname}:{port}", upstream=upstream
    )


def _broken(document: Mapping[str, object]) -> str | None:
    """Return what is already in force at a proxy; None where nothing is."""
    if document.get("enabled") is not True:
        return "is disabled"
    toxics = document.get("toxics")
    names = [str(toxic.get("name")) for toxic in toxics if isinstance(toxic, dict)] if isinstance(toxics, list) else []
    return f"has toxics in force ({', '.join(names)})" if names else None


def addresses(links: Mapping[str, Link], advertised: Mapping[str, str]) -> dict[str, str]:
    """Return what the placeholders of links and endpoints stand for."""
    values: dict[str, str] = {}
    for name, link in links.items():
        address = advertised.get(name, link.listen)
        values[f"{name}.address"] = address
        if name.startswith("provider."):
            values[f"{name}.url"] = f"http://{address}"
    return values
