"""The calls of the API: what each one reads, does and answers. HTTP itself stands in `web.py`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from harness import __version__
from harness.errors import did_you_mean
from harness.faultproxy.address import checked_upstream
from harness.faultproxy.document import field, mapping, parse, sequence
from harness.faultproxy.failure import ApiError, bad_request, conflict, not_found
from harness.faultproxy.lease import Lease
from harness.faultproxy.proxies import Proxies
from harness.faultproxy.proxy import Proxy, shown_toxic
from harness.faultproxy.requests import checked_requests
from harness.faultproxy.toxic import Direction, Toxic, checked_attributes, checked_toxicity
from harness.faultproxy.toxics import TOXICS

# Clients ask which Toxiproxy this is, and some compare; the part after + says that it is ours.
VERSION = f"2.12.0+harness.{__version__}"
LEASE_MAX_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call answers; None is an empty body."""

    status: HTTPStatus
    body: object | None = None


Call = Callable[..., Awaitable[Answer]]


class Api:
    """Every call takes the body and the names out of the path. Raises ApiError."""

    def __init__(self, proxies: Proxies) -> None:
        self.proxies = proxies
        self.lease = Lease(proxies)

    def routes(self) -> dict[tuple[str, ...], dict[str, Call]]:
        """Return the calls by path pattern and method; `*` stands for a name."""
        return {
            ("version",): {"GET": self.version},
            ("proxies",): {"GET": self.list_proxies, "POST": self.create_proxy},
            ("populate",): {"POST": self.populate},
            ("reset",): {"POST": self.reset},
            ("proxies", "*"): {
                "GET": self.get_proxy,
                "POST": self.update_proxy,
                "PATCH": self.update_proxy,
                "DELETE": self.delete_proxy,
            },
            ("proxies", "*", "toxics"): {"GET": self.list_toxics, "POST": self.create_toxic},
            ("proxies", "*", "toxics", "*"): {
                "GET": self.get_toxic,
                "POST": self.update_toxic,
                "PATCH": self.update_toxic,
                "DELETE": self.delete_toxic,
            },
            ("proxies", "*", "full"): {"GET": self.get_full, "PUT": self.put_full, "DELETE": self.delete_full},
            ("lease",): {"GET": self.get_lease, "PUT": self.put_lease, "DELETE": self.delete_lease},
            ("acted",): {"GET": self.acted},
        }

    async def version(self, _body: bytes) -> Answer:
        """GET /version."""
        return Answer(HTTPStatus.OK, {"version": VERSION})

    # -- proxies ----------------------------------------------------------------------------------------------------

    async def list_proxies(self, _body: bytes) -> Answer:
        """GET /proxies: a map of name to proxy."""
        return Answer(HTTPStatus.OK, {name: proxy.shown() for name, proxy in self.proxies.by_name.items()})

    async def create_proxy(self, body: bytes) -> Answer:
        """POST /proxies: with `toxics`, both are there at once or neither is."""
        document = mapping(parse(body), "the proxy")
        proxy = self._new_proxy(document, "")
        for part in sequence(document.get("toxics"), "toxics"):
            toxic = _new_toxic(mapping(part, "a toxic"), proxy)
            proxy.toxics[toxic.name] = toxic
        async with self.proxies.lock:
            await self.proxies.add(proxy, enabled=field(document, "enabled", True))
            return Answer(HTTPStatus.CREATED, proxy.shown())

    def _new_proxy(self, document: dict[str, object], where: str) -> Proxy:
        name, listen, upstream = (field(document, key, "") for key in ("name", "listen", "upstream"))
        field(document, "enabled", True)
        for key, value in (("name", name), ("upstream", upstream)):
            if not value:
                raise bad_request(f"missing required field: {key}{where}")
        checked_upstream(upstream)
        return self.proxies.new(name=name, listen=listen, upstream=upstream)

    async def populate(self, body: bytes) -> Answer:
        """POST /populate: create, replace or leave each proxy of a list; one that cannot listen stops it there."""
        documents = [mapping(part, "a proxy") for part in sequence(parse(body), "the list of proxies")]
        new = [self._new_proxy(document, f" at proxy {index}") for index, document in enumerate(documents, start=1)]
        done: list[Proxy] = []
        async with self.proxies.lock:
            for proxy, document in zip(new, documents, strict=True):
                try:
                    done.append(await self.proxies.add_or_replace(proxy, enabled=field(document, "enabled", True)))
                except ApiError as error:
                    failure = {"error": error.message, "status": int(error.status), "proxies": [p.shown() for p in done] or None}
                    return Answer(error.status, failure)
            return Answer(HTTPStatus.CREATED, {"proxies": [proxy.shown() for proxy in done] or None})

    async def get_proxy(self, _body: bytes, name: str) -> Answer:
        """GET /proxies/P."""
        return Answer(HTTPStatus.OK, self.proxies.proxy(name).shown())

    async def update_proxy(self, body: bytes, name: str) -> Answer:
        """POST or PATCH /proxies/P: `listen`, `upstream` and `enabled`, what is not given stays."""
        async with self.proxies.lock:
            proxy = self.proxies.proxy(name)
            document = mapping(parse(body), "the proxy")
            await proxy.move(
                listen=field(document, "listen", proxy.listen),
                upstream=field(document, "upstream", proxy.upstream),
                enabled=field(document, "enabled", proxy.enabled),
            )
            return Answer(HTTPStatus.OK, proxy.shown())

    async def delete_proxy(self, _body: bytes, name: str) -> Answer:
        """DELETE /proxies/P."""
        async with self.proxies.lock:
            self.proxies.remove(self.proxies.proxy(name))
            return Answer(HTTPStatus.NO_CONTENT)

    async def reset(self, _body: bytes) -> Answer:
        """POST /reset: every toxic removed, every proxy enabled."""
        async with self.proxies.lock:
            await self.proxies.reset()
            return Answer(HTTPStatus.NO_CONTENT)

    # -- toxics -----------------------------------------------------------------------------------------------------

    async def list_toxics(self, _body: bytes, name: str) -> Answer:
        """GET /proxies/P/toxics: an array, upstream chain first."""
        return Answer(HTTPStatus.OK, [shown_toxic(toxic) for toxic in self.proxies.proxy(name).chain()])

    async def create_toxic(self, body: bytes, name: str) -> Answer:
        """POST /proxies/P/toxics."""
        async with self.proxies.lock:
            proxy = self.proxies.proxy(name)
            toxic = _new_toxic(mapping(parse(body), "the toxic"), proxy)
            self.proxies.record(proxy, toxic)
            proxy.add(toxic)
            return Answer(HTTPStatus.OK, shown_toxic(toxic))

    def _toxic(self, name: str, toxic_name: str) -> tuple[Proxy, Toxic]:
        proxy = self.proxies.proxy(name)
        if toxic_name not in proxy.toxics:
            raise not_found("toxic")
        return proxy, proxy.toxics[toxic_name]

    async def get_toxic(self, _body: bytes, name: str, toxic_name: str) -> Answer:
        """GET /proxies/P/toxics/T."""
        return Answer(HTTPStatus.OK, shown_toxic(self._toxic(name, toxic_name)[1]))

    async def update_toxic(self, body: bytes, name: str, toxic_name: str) -> Answer:
        """POST or PATCH /proxies/P/toxics/T: `attributes` (merged) and `toxicity`, both or neither."""
        async with self.proxies.lock:
            proxy, toxic = self._toxic(name, toxic_name)
            document = mapping(parse(body), "the toxic")
            toxicity = checked_toxicity(field(document, "toxicity", float(toxic.toxicity)))
            if document.get("requests", _trigger_of(toxic)) != _trigger_of(toxic):
                raise bad_request("requests stays what it was when the toxic was created; remove the toxic and add it again")
            if toxic.requests is not None and toxicity != 1:
                raise bad_request(_ONE_SHARE)
            attributes = checked_attributes(toxic.type, mapping(document.get("attributes"), "attributes"), toxic.attributes)
            toxic.toxicity = toxicity
            toxic.attributes.update(attributes)
            proxy.edited(toxic)
            return Answer(HTTPStatus.OK, shown_toxic(toxic))

    async def delete_toxic(self, _body: bytes, name: str, toxic_name: str) -> Answer:
        """DELETE /proxies/P/toxics/T."""
        async with self.proxies.lock:
            proxy, toxic = self._toxic(name, toxic_name)
            proxy.remove(toxic)
            return Answer(HTTPStatus.NO_CONTENT)

    # -- ours -------------------------------------------------------------------------------------------------------

    async def get_full(self, _body: bytes, name: str) -> Answer:
        """GET /proxies/P/full: whether it takes no new connection."""
        return Answer(HTTPStatus.OK, {"full": self.proxies.proxy(name).full})

    async def put_full(self, _body: bytes, name: str) -> Answer:
        """PUT /proxies/P/full: refuse new connections, keep those that are open."""
        async with self.proxies.lock:
            proxy = self.proxies.proxy(name)
            if not proxy.enabled:
                raise bad_request("the proxy is disabled: it has no connection to keep; enable it first")
            proxy.refuse_new()
            return await self.get_full(b"", name)

    async def delete_full(self, _body: bytes, name: str) -> Answer:
        """DELETE /proxies/P/full: take new connections again, where it is enabled."""
        async with self.proxies.lock:
            proxy = self.proxies.proxy(name)
            if proxy.full:
                await proxy.start()
            return Answer(HTTPStatus.NO_CONTENT)

    async def acted(self, _body: bytes) -> Answer:
        """GET /acted: what each toxic really touched."""
        return Answer(HTTPStatus.OK, self.proxies.acted())

    def _lease(self) -> Answer:
        lease = self.lease
        return Answer(HTTPStatus.OK, {"seconds": lease.seconds, "remaining_s": lease.remaining_s, "expired": lease.expired})

    async def get_lease(self, _body: bytes) -> Answer:
        """GET /lease: nulls without one; `expired` counts the leases that ran out."""
        return self._lease()

    async def put_lease(self, body: bytes) -> Answer:
        """PUT /lease: begin or renew."""
        seconds = field(mapping(parse(body), "the lease"), "seconds", 0.0)
        if not 0 < seconds <= LEASE_MAX_S:
            raise bad_request(f"seconds is {seconds!r}; allowed: above 0, to {LEASE_MAX_S:g}")
        self.lease.renew(seconds)
        return self._lease()

    async def delete_lease(self, _body: bytes) -> Answer:
        """DELETE /lease: end it without a reset."""
        self.lease.end()
        return Answer(HTTPStatus.NO_CONTENT)


_ONE_SHARE = "toxicity is a share of connections, and requests picks requests; allowed: one of them (requests.share)"


def _new_toxic(document: dict[str, object], proxy: Proxy) -> Toxic:
    """Return a toxic; the checks run in Toxiproxy's order, ours last. Raises ApiError (400, 409)."""
    stream, type_ = field(document, "stream", "downstream"), field(document, "type", "")
    stream = stream if stream else "downstream"
    toxicity = field(document, "toxicity", 1.0)
    attributes = mapping(document.get("attributes"), "attributes")
    name = field(document, "name", "")
    if stream.lower() not in set(Direction):
        raise bad_request("stream was invalid, can be either upstream or downstream")
    if type_ not in TOXICS:
        raise bad_request(f"invalid toxic type; allowed: {', '.join(sorted(TOXICS))}{did_you_mean(type_, TOXICS)}")
    name = name if name else f"{type_}_{stream}"
    if name in proxy.toxics:
        raise conflict("toxic")
    toxic = Toxic(
        name=name,
        type=type_,
        stream=stream,
        toxicity=checked_toxicity(toxicity),
        attributes=checked_attributes(type_, attributes),
    )
    if document.get("requests") is not None:
        given = mapping(document["requests"], "requests")
        toxic.requests = checked_requests(given, seed=f"{proxy.seed}|{proxy.name}|{name}|requests")
        toxic.tally.requests = 0
        if toxic.toxicity != 1:
            raise bad_request(_ONE_SHARE)
    return toxic


def _trigger_of(toxic: Toxic) -> object:
    return None if toxic.requests is None else toxic.requests.values
