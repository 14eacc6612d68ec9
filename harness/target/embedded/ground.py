"""What stands below the service: stores, provider, fault proxy and the links between; and the service put upon it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from harness.model.plan import TargetReference
from harness.model.target import Clock, Instance, Link
from harness.target.embedded import balancer, postgres, programs, valkey
from harness.target.embedded.credentials import Credentials
from harness.target.embedded.hands import EmbeddedHands
from harness.target.embedded.links import make_links
from harness.target.embedded.rollout import EmbeddedRollout
from harness.target.embedded.running import RunningEmbedded
from harness.target.embedded.site import Site, answers
from harness.target.operating.actor import ReferenceActor
from harness.target.operating.programs import OperatorPrograms
from harness.target.reference_capabilities import LIVE, METRICS, READY
from harness.target.together import Together

NAME = "reference-service"
LINKS = ("provider.primary", "provider.secondary", "links.postgres", "links.redis")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A stack without its service. Addresses are `host:port`, past every link. store_password and its like: the stack's own."""

    site: Site = field(repr=False)
    credentials: Credentials = field(repr=False)
    database: str
    store: str
    fault_proxy: str
    provider: programs.Provider
    links: Mapping[str, Link]


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """The balancer before the instances, and the place beside them that it keeps for another version."""

    address: str
    other: balancer.OtherVersion

    @classmethod
    def start(cls, site: Site, addresses: Mapping[str, str]) -> "Front":
        """Start it before instances that are ready. Raises StackError."""
        other = balancer.OtherVersion(f"127.0.0.1:{site.free_port()}", site.directory / "traffic" / "green")
        other.say_who_is_who(tuple(addresses.values()))
        return cls(address=balancer.start(site, list(addresses.values()), other), other=other)


def lay(site: Site, credentials: Credentials, *, seed: int, start_proxy: Callable[[], str]) -> Ground:
    """Start everything below the service, with the users in the database. start_proxy: returns the `host:port` of its API."""
    with Together(site) as together:
        database = together.do(lambda: postgres.start(site, password=credentials.database_password))
        provisioned = together.do(lambda: programs.provision(site, server=database.result(), credentials=credentials))
        store = together.do(lambda: valkey.start(site, password=credentials.store_password))
        provider = together.do(lambda: programs.start_provider(site, seed=seed))
        fault_proxy = together.do(start_proxy)
        together.wait()
        provisioned.result()
    upstreams = {
        f"provider.{name}": address for name, address in provider.result().endpoints.items() if f"provider.{name}" in LINKS
    }
    upstreams |= {"links.postgres": database.result(), "links.redis": store.result()}
    return Ground(
        site=site,
        credentials=credentials,
        database=database.result(),
        store=store.result(),
        fault_proxy=fault_proxy.result(),
        provider=provider.result(),
        links=make_links(fault_proxy.result(), upstreams, site.free_port),
    )


def stand_service(site: Site, wiring: programs.Wiring, places: Mapping[str, str]) -> dict[str, str]:
    """Start the instances and the worker, and return where each instance listens once all are ready. Raises StackError.

    places: instance to the `host:port` that it is to have; empty where any will do.
    """
    anywhere = "127.0.0.1:0"
    wiring = programs.with_a_receiver(site, wiring)
    with Together(site) as together:
        started = {
            name: together.do(lambda name=name: programs.start_service(site, name, wiring, places.get(name, anywhere)))  # type: ignore[misc]
            for name in ("a", "b")
        }
        together.do(lambda: programs.start_worker(site, wiring))
        together.wait()
    addresses = {name: address.result() for name, address in started.items()}
    for name, address in addresses.items():
        site.wait(f"service-{name}", lambda address=address: answers(address, "/ready"), within_s=15)  # type: ignore[misc]
    return addresses


def running_on(ground: Ground, wiring: programs.Wiring, front: Front, addresses: Mapping[str, str]) -> RunningEmbedded:
    """Return the running stack."""
    site, secrets = ground.site, ground.credentials
    rollout = EmbeddedRollout(
        site, wiring, front.other, front=front.address, instances=tuple(f"service-{name}" for name in addresses)
    )
    database = postgres.dependency(ground.database, secrets.database_password, site.log("postgres"), wiring.database)
    operators = OperatorPrograms(
        database_url=postgres.url(ground.database, secrets.database_password, wiring.database),
        settings=wiring.settings,
        mask=site.mask,
        directory=lambda: site.directory,
    )
    store = valkey.dependency(ground.store, secrets.store_password, site.log("redis"))
    hands = EmbeddedHands(site, rollout, operators, store)
    clocks = {
        f"clocks.service-{name}": Clock(file=programs.clock_file(site, name), seen_at=f"http://{address}{LIVE}")
        for name, address in addresses.items()
    }
    return RunningEmbedded(
        site=site,
        reference=TargetReference(kind="embedded", name=NAME, version=wiring.version),
        base_url=f"http://{front.address}",
        keys=wiring.credentials.keys,
        instances=tuple(
            Instance(name=name, base_url=f"http://{address}", live=LIVE, ready=READY, metrics=METRICS)
            for name, address in addresses.items()
        ),
        links=ground.links,
        actor=ReferenceActor(hands, operators, keys=wiring.credentials.keys, base_url=f"http://{front.address}"),
        rollout=rollout,
        provider_control_url=f"http://{ground.provider.control}",
        dependencies={"dependencies.redis": store, "dependencies.postgres": database},
        clocks=clocks | {"clocks.postgres": Clock(database=database)},
    )
