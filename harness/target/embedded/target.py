"""The embedded target: the reference service and all that it needs, as local processes."""

import contextlib
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import harness
from harness.errors import StorageError
from harness.model.fault_kinds.deploy import SERVICE
from harness.model.plan import TargetReference
from harness.model.target import Instance, Needs, Offer
from harness.target.embedded import balancer, postgres, programs, valkey
from harness.target.embedded.acting import EmbeddedActor
from harness.target.embedded.credentials import Credentials
from harness.target.embedded.links import make_links
from harness.target.embedded.rollout import EmbeddedRollout
from harness.target.embedded.running import DEPENDENCIES, FAULTABLE, RunningEmbedded
from harness.target.embedded.site import Site, answers
from harness.target.reference_capabilities import LIVE, METRICS, READY, REFERENCE_CAPABILITIES
from harness.target.reference_signals import REFERENCE_SIGNALS
from harness.target.supervise.supervisor import Supervisor
from harness.target.together import Together

LINKS = ("provider.primary", "provider.secondary", "links.postgres", "links.redis")
_NAME = "reference-service"
_FREE_NEEDED_BYTES = 200 << 20


class EmbeddedTarget:
    """A `Target` that needs no Docker, no root and no network.

    service_settings: environment of the service and its worker, over what the stack tells them.
    seed: added to the plan's, for the randomness of the simulated provider and the fault proxy.
    state_directory: where the marker of a running stack lies; the user's own by default.
    toxiproxy: the `toxiproxy-server` to run the links through; None for the embedded fault proxy.
    """

    def __init__(
        self,
        *,
        service_settings: Mapping[str, str] = MappingProxyType({}),
        seed: int = 1,
        state_directory: Path | None = None,
        toxiproxy: Path | None = None,
    ) -> None:
        self._settings = dict(service_settings)
        self._seed = seed
        self._state_directory = state_directory
        self._toxiproxy = toxiproxy

    def offer(self) -> Offer:
        """Return what can be asked for; starts nothing."""
        return Offer(
            reference=TargetReference(kind="embedded", name=_NAME, version=harness.__version__),
            places=frozenset({*LINKS, *DEPENDENCIES, "host", SERVICE, *(f"processes.{name}" for name in FAULTABLE)}),
            signals=REFERENCE_SIGNALS,
            capped_principals=True,
            rate_limit_per_minute=self._rate_limit_per_minute(),
            toxics_of_toxiproxy=self._toxiproxy is not None,
            capabilities=REFERENCE_CAPABILITIES | EmbeddedActor.capabilities(),
        )

    def _rate_limit_per_minute(self) -> int:
        """Return the service's limit a user, rounded down; a setting that is no number is the service's to refuse."""
        try:
            requests = int(self._settings.get("SERVICE_RATE_LIMIT", "10"))
            return math.floor(requests * 60 / float(self._settings.get("SERVICE_RATE_WINDOW_S", "60")))
        except (ValueError, ZeroDivisionError, OverflowError):
            return 10

    def start(self, needs: Needs, logs: Path) -> RunningEmbedded:
        """Start everything and wait until it answers. Raises StackError or StorageError, with nothing left running.

        logs: one file a process, `NAME.log`.
        """
        supervisor = Supervisor(logs=logs, state_directory=self._state_directory)
        try:
            _check_space(supervisor.directory)
            credentials = Credentials.generate(needs)
            site = Site(supervisor, logs=logs, mask=credentials.mask)
            return self._build(site, credentials, seed=self._seed + needs.seed)
        except BaseException:
            supervisor.stop()
            raise

    def _start_proxy(self, site: Site, *, seed: int) -> str:
        if self._toxiproxy is not None:
            return programs.start_toxiproxy(site, self._toxiproxy)
        return programs.start_fault_proxy(site, seed=seed)

    def _build(self, site: Site, credentials: Credentials, *, seed: int) -> RunningEmbedded:
        with Together(site) as together:
            database = together.do(lambda: postgres.start(site, password=credentials.database_password))
            provisioned = together.do(lambda: programs.provision(site, database=database.result(), credentials=credentials))
            store = together.do(lambda: valkey.start(site, password=credentials.store_password))
            provider = together.do(lambda: programs.start_provider(site, seed=seed))
            fault_proxy = together.do(lambda: self._start_proxy(site, seed=seed))
            together.wait()
            provisioned.result()
        upstreams = {
            f"provider.{name}": address for name, address in provider.result().endpoints.items() if f"provider.{name}" in LINKS
        }
        upstreams |= {"links.postgres": database.result(), "links.redis": store.result()}
        links = make_links(fault_proxy.result(), upstreams, site.free_port)
        wiring = programs.Wiring(version=harness.__version__, credentials=credentials, links=links, settings=self._settings)
        with Together(site) as together:
            instances = {name: together.do(lambda name=name: programs.start_service(site, name, wiring)) for name in ("a", "b")}  # type: ignore[misc]
            together.do(lambda: programs.start_worker(site, wiring))
            together.wait()
        addresses = {name: address.result() for name, address in instances.items()}
        for name, address in addresses.items():
            site.wait(f"service-{name}", lambda address=address: answers(address, "/ready"), within_s=15)  # type: ignore[misc]
        other = balancer.OtherVersion(f"127.0.0.1:{site.free_port()}", site.directory / "other-version-percent")
        front = balancer.start(site, list(addresses.values()), other)
        database_url = postgres.url(database.result(), credentials.database_password)
        return RunningEmbedded(
            site=site,
            reference=TargetReference(kind="embedded", name=_NAME, version=wiring.version),
            base_url=f"http://{front}",
            keys=credentials.keys,
            instances=tuple(
                Instance(name=name, base_url=f"http://{address}", live=LIVE, ready=READY, metrics=METRICS)
                for name, address in addresses.items()
            ),
            links=links,
            rollout=EmbeddedRollout(site, wiring, other, front=front, instances=tuple(f"service-{name}" for name in addresses)),
            provider_control_url=f"http://{provider.result().control}",
            actor=EmbeddedActor(site, keys=credentials.keys, database_url=database_url, base_url=f"http://{front}"),
            dependencies={
                "dependencies.redis": valkey.dependency(store.result(), credentials.store_password, site.log("redis")),
                "dependencies.postgres": postgres.dependency(
                    database.result(), credentials.database_password, site.log("postgres")
                ),
            },
        )


def _check_space(directory: Path) -> None:
    with contextlib.suppress(OSError):
        free = shutil.disk_usage(directory).free
        if free < _FREE_NEEDED_BYTES:
            raise StorageError(
                f"{directory.parent} has {free >> 20} MB free; the embedded stack needs {_FREE_NEEDED_BYTES >> 20} MB",
                advice="free some space, or set TMPDIR to a place that has some",
            )
