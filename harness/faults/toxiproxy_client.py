"""One Toxiproxy through toxiproxy-python; the only module that imports it.

The library keeps host and port on one class for the whole process, waits without end, obeys the proxy settings of the
environment and turns a status 500 into a KeyError. Each client here has copies of its classes bound to a consumer of
its own: several stacks in one process do not meet, every call ends in time, and every refusal is a FaultError. What
the library lacks (update of a toxic, lease, proof of action) is added on the same consumer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any
from urllib.parse import quote

import httpx
from toxiproxy import proxy as library_proxy
from toxiproxy import server as library_server
from toxiproxy.api import APIConsumer

from harness.errors import FaultError
from harness.model.fault import Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class Toxic:
    """A toxic as the proxy lists it. requests: which HTTP requests it acts on; empty for whole connections."""

    name: str
    kind: str
    stream: str
    toxicity: float
    attributes: Mapping[str, int | float]
    requests: Mapping[str, Scalar] = field(default_factory=dict)


class RefusedError(FaultError):
    """The Toxiproxy answered, and said no. status: of its answer."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class ToxiproxyClient:
    """Speaks to the Toxiproxy at `url`. For use from any thread; every method raises FaultError.

    timeout_s: for each call.
    """

    def __init__(self, url: str, *, timeout_s: float = 1.0) -> None:
        self.url = url.rstrip("/")
        self._accounts: bool | None = None
        self._consumer = _consumer(self.url, timeout_s)
        self._proxy_class: Any = _bound(library_proxy.Proxy, APIConsumer=self._consumer)
        self._server: Any = _bound(library_server.Toxiproxy, APIConsumer=self._consumer, Proxy=self._proxy_class)()

    def is_enabled(self, proxy: str) -> bool:
        """Return whether the proxy listens."""
        found = self._server.get_proxy(proxy)
        if found is None:
            raise FaultError(f"the Toxiproxy at {self.url} has no proxy {proxy!r}")
        return bool(found.enabled)

    def set_enabled(self, proxy: str, enabled: bool) -> None:
        """Let the proxy listen, or cut its connections and refuse new ones."""
        named = self._named(proxy)
        if enabled:
            named.enable()
        else:
            named.disable()

    def is_full(self, proxy: str) -> bool:
        """Return whether the proxy takes no new connection; never, where this Toxiproxy cannot be told to (the real one)."""
        answer = self._extension("GET", f"/proxies/{_part(proxy)}/full", None)
        return answer is not None and bool(answer.json()["full"])

    def set_full(self, proxy: str, full: bool) -> None:
        """Refuse new connections and keep those that are open, or take new ones again."""
        answer = self._extension("PUT" if full else "DELETE", f"/proxies/{_part(proxy)}/full", None)
        if answer is None and full:
            raise FaultError(
                f"the Toxiproxy at {self.url} cannot refuse new connections and keep those that are open",
                advice="use the embedded fault proxy, or down",
            )

    def toxics(self, proxy: str) -> dict[str, Toxic]:
        """Return the toxics of a proxy by name."""
        # Past the library, which drops the trigger of a toxic.
        listed = _call(self._consumer.client, "GET", f"/proxies/{_part(proxy)}/toxics").json()
        return {
            part["name"]: Toxic(
                name=part["name"],
                kind=part["type"],
                stream=part["stream"].lower(),
                toxicity=part["toxicity"],
                attributes=part["attributes"],
                requests=part.get("requests", {}),
            )
            for part in listed
        }

    def add_toxic(self, proxy: str, toxic: Toxic) -> None:
        """Add a toxic; one of that name must not be there yet."""
        if toxic.requests:
            self._add_triggered(proxy, toxic)
            return
        self._named(proxy).add_toxic(
            name=toxic.name,
            type=toxic.kind,
            stream=toxic.stream,
            toxicity=toxic.toxicity,
            attributes=dict(toxic.attributes),
        )

    def _add_triggered(self, proxy: str, toxic: Toxic) -> None:
        body = {"name": toxic.name, "type": toxic.kind, "stream": toxic.stream, "attributes": dict(toxic.attributes)}
        body["requests"] = dict(toxic.requests)
        made = self._consumer.post(f"/proxies/{_part(proxy)}/toxics", json=body).json()
        if made.get("requests") != body["requests"]:
            # It would act on every connection: whoever does not know the field leaves it out in silence.
            self.remove_toxic(proxy, toxic.name)
            raise FaultError(
                f"the Toxiproxy at {self.url} cannot pick requests ({', '.join(toxic.requests)}): it acts on connections only",
                advice="use the embedded fault proxy, or toxicity in place of the trigger",
            )

    def update_toxic(self, proxy: str, name: str, attributes: Mapping[str, int | float], *, toxicity: float) -> None:
        """Change a toxic in place, on live connections too."""
        body = {"attributes": dict(attributes), "toxicity": toxicity}
        self._consumer.post(f"/proxies/{_part(proxy)}/toxics/{_part(name)}", json=body)

    def remove_toxic(self, proxy: str, name: str) -> None:
        """Remove a toxic; one that is not there is removed already."""
        try:
            self._named(proxy).destroy_toxic(_part(name))
        except RefusedError as error:
            if error.status != 404:
                raise

    def renew_lease(self, seconds: float) -> bool:
        """Keep faults for so long from now; return False where this Toxiproxy knows no lease (the real one)."""
        return self._extension("PUT", "/lease", {"seconds": seconds}) is not None

    def end_lease(self) -> None:
        """Let faults stay without a lease again; nothing where there is none."""
        self._extension("DELETE", "/lease", None)

    def acted(self, proxy: str) -> dict[str, int] | None:
        """Return on how many connections each toxic acted, by name; None where this Toxiproxy cannot tell.

        A toxic that acts on some requests only: on how many requests.
        """
        answer = self._extension("GET", "/acted", None)
        self._accounts = answer is not None
        if answer is None:
            return None
        return {name: int(counts.get("requests", counts["connections"])) for name, counts in answer.json().get(proxy, {}).items()}

    def keeps_accounts(self) -> bool:
        """Return whether this Toxiproxy can tell what its toxics did; asked once."""
        if self._accounts is None:
            self._accounts = self._extension("GET", "/acted", None) is not None
        return self._accounts

    def close(self) -> None:
        """Close the kept connections."""
        self._consumer.client.close()

    def _named(self, proxy: str) -> Any:
        # The library wants a proxy's fields but uses only its name; asking for them would cost a round trip.
        return self._proxy_class(name=_part(proxy), upstream="", listen="", enabled=True)

    def _extension(self, method: str, path: str, body: Mapping[str, float] | None) -> httpx.Response | None:
        try:
            return _call(self._consumer.client, method, path, json=body)
        except RefusedError as error:
            if error.status in {404, 405}:
                return None
            raise


def _consumer(url: str, timeout_s: float) -> Any:
    """Return a subclass of the library's consumer with a client of its own."""
    client = httpx.Client(base_url=url, timeout=timeout_s, trust_env=False)

    def get(path: str, params: Any = None, **more: Any) -> httpx.Response:
        return _call(client, "GET", path, params=params, **more)

    def post(path: str, data: Any = None, json: Any = None, **more: Any) -> httpx.Response:
        return _call(client, "POST", path, data=data, json=json, **more)

    def delete(path: str, **more: Any) -> httpx.Response:
        return _call(client, "DELETE", path, **more)

    namespace = {"client": client, "get": staticmethod(get), "post": staticmethod(post), "delete": staticmethod(delete)}
    return type("BoundConsumer", (APIConsumer,), namespace)


def _bound(library_class: Any, **names: Any) -> Any:
    """Return a subclass whose methods see `names` where the library's see its module's own."""
    namespace = {
        name: FunctionType(part.__code__, {**part.__globals__, **names}, part.__name__, part.__defaults__, part.__closure__)
        for name, part in vars(library_class).items()
        if isinstance(part, FunctionType)
    }
    return type(library_class.__name__, (library_class,), namespace)


def _call(client: httpx.Client, method: str, path: str, **more: Any) -> httpx.Response:
    at = f"the Toxiproxy at {str(client.base_url).rstrip('/')}"
    try:
        response = client.request(method, path, **more)
    except httpx.HTTPError as error:
        raise FaultError(
            f"{at} does not answer {method} {path}: {error or type(error).__name__}",
            advice="is it running, and is the address right?",
        ) from error
    if response.status_code >= 400:
        raise RefusedError(f"{at} refuses {method} {path}: {_reason(response)}", status=response.status_code)
    return response


def _part(name: str) -> str:
    """Return a name as one part of a path."""
    return quote(name, safe="")


def _reason(response: httpx.Response) -> str:
    """Return the error of the body; its content type says text even where it is JSON."""
    try:
        return f"{response.status_code} {response.json()['error']}"
    except (ValueError, KeyError, TypeError):
        return f"{response.status_code} {response.text[:200].strip()}"
