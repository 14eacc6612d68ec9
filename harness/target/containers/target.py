"""The containers target: the reference service and all that it needs, from images, through the real Toxiproxy."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import harness
from harness.errors import StackError
from harness.faults.engine import Engine
from harness.model.fault_kinds.deploy import SERVICE
from harness.model.plan import TargetReference
from harness.model.target import Instance, Needs, Offer, Witness
from harness.target.containers import topology
from harness.target.containers.hands import STACK, ContainerHands
from harness.target.containers.links import API, INSIDE, make_links
from harness.target.containers.provision import get_images
from harness.target.containers.receiving import pointed, receiver_part, receives
from harness.target.containers.rollout import ContainerRollout
from harness.target.containers.running import FAULTABLE, RunningContainers
from harness.target.containers.site import ContainerSite
from harness.target.containers.testcontainers_settings import settle
from harness.target.containers.topology import CONTROL_PORT, INSTANCES, SERVICE_PORT, WITNESS_PORT, Topology
from harness.target.embedded import EmbeddedTarget
from harness.target.embedded.credentials import Credentials
from harness.target.embedded.programs import RECEIVER
from harness.target.embedded.running import CLOCKS, DEPENDENCIES
from harness.target.embedded.site import answers
from harness.target.operating.actor import ReferenceActor
from harness.target.operating.programs import OperatorPrograms
from harness.target.operating.workshop import Workshop
from harness.target.reference_capabilities import LIVE, METRICS, READY
from harness.target.reference_signals import REFERENCE_SIGNALS
from harness.target.together import Together

IMAGES = ("toxiproxy", "postgres", "valkey", "caddy", "service", "provider")
"""What the stack is made of, by the keys of `images`."""
_READY_WITHIN_S = 90.0  # thirty are promised on a quiet machine; a busy one gets the time
_NAME = "reference-service"


class ContainersTarget:
    """A `Target` that needs a container engine of this machine.

    service_settings: environment of the service and its worker, over what the stack tells them.
    seed: added to the plan's. say: told what takes its time, such as a build.
    """

    def __init__(
        self,
        *,
        service_settings: Mapping[str, str] = MappingProxyType({}),
        seed: int = 1,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self._settings = dict(service_settings)
        self._seed = seed
        self._say = say or _tell

    def offer(self) -> Offer:
        """Return what can be asked for; starts nothing."""
        embedded = EmbeddedTarget(service_settings=self._settings).offer()
        containers = {f"{kind}.{name}" for kind in ("processes", "containers") for name in FAULTABLE}
        return Offer(
            reference=TargetReference(kind="containers", name=_NAME, version=harness.__version__),
            places=frozenset({*INSIDE, *containers, *DEPENDENCIES, *CLOCKS, "host", SERVICE}),
            signals=REFERENCE_SIGNALS,
            capped_principals=True,
            toxics_of_toxiproxy=True,
            rate_limit_per_minute=embedded.rate_limit_per_minute,
            capabilities=embedded.capabilities,
            missing=embedded.missing,
        )

    def start(self, needs: Needs, logs: Path) -> RunningContainers:
        """Start everything and wait until it answers. Raises StackError or StorageError, with nothing left running.

        logs: one file a container, `NAME.log`, written when it ends.
        """
        try:
            import testcontainers.core.container  # noqa: F401 - an extra: say so before anything is started
        except ImportError as error:
            raise StackError(
                "--target containers needs testcontainers",
                advice="pip install '.[containers]' in the checkout of the harness (pip install testcontainers does, too)",
            ) from error
        engine = Engine.find()
        images = get_images(engine, IMAGES, self._say)
        settle(engine)
        credentials = Credentials.generate(needs)
        site = ContainerSite(engine, logs=logs, mask=credentials.mask)
        try:
            with Together(site) as together:  # in a thread: an interrupt waits for the engine's answer, and finds the network
                together.do(site.open).result()
            parts = Topology(
                images=images,
                version=harness.__version__,
                credentials=credentials,
                seed=self._seed + needs.seed,
                settings=pointed(self._settings),
            )
            return _build(site, parts)
        except BaseException:
            site.give_up()
            site.stop()
            raise


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")


def _build(site: ContainerSite, parts: Topology) -> RunningContainers:
    password = parts.credentials.store_password
    with Together(site) as together:
        front = together.do(lambda: site.start(parts.toxiproxy()))
        others = [together.do(lambda part=part: site.start(part)) for part in (parts.postgres(), parts.redis(), parts.provider())]  # type: ignore[misc]
        front.result()
        together.do(lambda: site.start(parts.witness()))
        api = site.address("toxiproxy", API)
        site.wait("toxiproxy", lambda: answers(api, "/version"), within_s=_READY_WITHIN_S)
        links = make_links(api, {name: site.address("toxiproxy", port) for name, port in INSIDE.items()})
        for started in others:
            started.result()
        ready: dict[str, Callable[[], bool | None]] = {
            "postgres": lambda: topology.postgres_ready(links["links.postgres"].listen),
            "redis": lambda: topology.redis_ready(links["links.redis"].listen, password),
            "provider": lambda: answers(site.address("provider", CONTROL_PORT), "/health"),
        }
        together.do(lambda: site.wait("redis", ready["redis"], within_s=_READY_WITHIN_S))
        together.do(lambda: site.wait("provider", ready["provider"], within_s=_READY_WITHIN_S))
        together.do(lambda: _provision(site, parts, ready["postgres"]))
        if receives(parts.settings):
            together.do(lambda: site.start(receiver_part(parts.images["service"])))
        together.wait()
    with Together(site) as together:
        for part in (*(parts.service(name) for name in INSTANCES), parts.worker(), parts.balancer()):
            together.do(lambda part=part: site.start(part))  # type: ignore[misc]
        together.wait()
    for name in INSTANCES.values():
        ready[name] = lambda name=name: answers(site.address(name, SERVICE_PORT), "/ready")  # type: ignore[misc]
    ready["worker"] = lambda: site.said("worker", "ready")
    ready["balancer"] = lambda: answers(site.address("balancer", SERVICE_PORT), "/ready")
    waited = [*INSTANCES.values(), "worker", "balancer"]
    if receives(parts.settings):
        ready[RECEIVER] = lambda: site.said(RECEIVER, "ready")
        waited.append(RECEIVER)
    for name in waited:
        site.wait(name, ready[name], within_s=_READY_WITHIN_S)
    site.wait("witness", lambda: answers(site.address("toxiproxy", WITNESS_PORT), "/traffic"), within_s=_READY_WITHIN_S)
    base_url = f"http://{site.address('balancer', SERVICE_PORT)}"
    rollout, workshop = ContainerRollout(site, parts), Workshop(site.logs, stack=STACK)
    operators = OperatorPrograms(
        database_url=parts.database_url(site.address("postgres", topology.POSTGRES_PORT)),
        settings=parts.settings,
        mask=site.mask,
        directory=workshop.directory,
    )
    return RunningContainers(
        site=site,
        reference=TargetReference(kind="containers", name=_NAME, version=parts.version),
        base_url=base_url,
        keys=parts.credentials.keys,
        instances=tuple(
            Instance(
                name=name, base_url=f"http://{site.address(container, SERVICE_PORT)}", live=LIVE, ready=READY, metrics=METRICS
            )
            for name, container in INSTANCES.items()
        ),
        links=links,
        provider_control_url=f"http://{site.address('provider', CONTROL_PORT)}",
        witness=Witness(
            url=f"http://{site.address('toxiproxy', WITNESS_PORT)}", toxiproxy=site.handles()["toxiproxy"], ports=dict(INSIDE)
        ),
        ready=ready,
        dependencies=parts.dependencies(site.address),
        rollout=rollout,
        actor=ReferenceActor(
            ContainerHands(site, parts, rollout, operators), operators, keys=parts.credentials.keys, base_url=base_url
        ),
        workshop=workshop,
    )


def _provision(site: ContainerSite, parts: Topology, database_ready: Callable[[], bool | None]) -> None:
    site.wait("postgres", database_ready, within_s=60)
    site.start(parts.provision())
    site.wait_ended("provision", within_s=60)
