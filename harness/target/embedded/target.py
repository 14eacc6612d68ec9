"""The embedded target: the reference service and all that it needs, as local processes."""

import contextlib
import hashlib
import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import harness
from harness.errors import StorageError
from harness.model.fault_kinds.deploy import SERVICE
from harness.model.plan import TargetReference
from harness.model.target import Needs, Offer
from harness.target.embedded import programs
from harness.target.embedded.credentials import Credentials
from harness.target.embedded.ground import LINKS, NAME, Front, lay, running_on, stand_service
from harness.target.embedded.running import CLOCKS, DEPENDENCIES, FAULTABLE, RunningEmbedded
from harness.target.embedded.site import Site
from harness.target.operating.actor import ReferenceActor
from harness.target.operating.operators import FOR_PROGRAMS, PACKAGES, SERVICE_PACKAGE
from harness.target.reference_capabilities import CACHE_SECONDS, HISTORY, REFERENCE_CAPABILITIES
from harness.target.reference_signals import REFERENCE_SIGNALS
from harness.target.secrets_in_code import code_of, has_history
from harness.target.supervise.supervisor import Supervisor

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

    @property
    def version(self) -> str:
        """The version that is tested: the harness's own, and another one with each set of settings."""
        return version_with(self._settings)

    def offer(self) -> Offer:
        """Return what can be asked for; starts nothing."""
        return Offer(
            reference=TargetReference(kind="embedded", name=NAME, version=self.version),
            places=frozenset({*LINKS, *DEPENDENCIES, *CLOCKS, "host", SERVICE, *(f"processes.{name}" for name in FAULTABLE)}),
            signals=REFERENCE_SIGNALS,
            capped_principals=True,
            rate_limit_per_minute=self._rate_limit_per_minute(),
            toxics_of_toxiproxy=self._toxiproxy is not None,
            capabilities=REFERENCE_CAPABILITIES | ReferenceActor.capabilities() | self._where_it_is_so(),
            missing={
                CACHE_SECONDS: "--service cache_ttl_s=5: an hour, its default, is longer than a run",
                HISTORY: "a checkout of the service with its history; this one is installed without",
                **{
                    f"actions.{name}": f"{program} on this machine (the package {PACKAGES[program]})"
                    for name, program in FOR_PROGRAMS.items()
                },
            },
        )

    def _where_it_is_so(self) -> frozenset[str]:
        """Return the capabilities of a cache whose answers become old within a run, and of code that is a checkout."""
        found = {HISTORY} if has_history(code_of(SERVICE_PACKAGE)) else set()
        with contextlib.suppress(ValueError):  # a setting that is no number is the service's to refuse
            if float(self._settings.get("SERVICE_CACHE_TTL_S", "3600")) <= 60:
                found.add(CACHE_SECONDS)
        return frozenset(found)

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
        ground = lay(site, credentials, seed=seed, start_proxy=lambda: self._start_proxy(site, seed=seed))
        wiring = programs.Wiring(
            version=self.version,
            credentials=credentials,
            links=ground.links,
            settings=self._settings,
            flags=programs.without_features(site),
        )
        addresses = stand_service(site, wiring, {})
        return running_on(ground, wiring, Front.start(site, addresses), addresses)


def version_with(settings: Mapping[str, str]) -> str:
    """Return the version of the reference service under these settings; a changed setting is another version.

    Attempts are counted by version, and a run of a service that was set up otherwise proves nothing about this one.
    """
    if not settings:
        return harness.__version__
    told = json.dumps(sorted(settings.items())).encode()
    return f"{harness.__version__}+{hashlib.sha256(told).hexdigest()[:8]}"


def _check_space(directory: Path) -> None:
    with contextlib.suppress(OSError):
        free = shutil.disk_usage(directory).free
        if free < _FREE_NEEDED_BYTES:
            raise StorageError(
                f"{directory.parent} has {free >> 20} MB free; the embedded stack needs {_FREE_NEEDED_BYTES >> 20} MB",
                advice="free some space, or set TMPDIR to a place that has some",
            )
