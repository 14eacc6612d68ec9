"""An embedded stack that runs share one after the other: only the service and its worker start anew.

What a run finds is as new as in a stack of its own: an empty database, an empty store, a provider without records, no
toxics, users made for it. What is kept is what takes the time: the servers themselves. What they say in a run's time is
copied into its logs when it ends.
"""

import dataclasses
import http.client
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import FaultError, StackError
from harness.faults.resp import Store
from harness.model.target import Needs, Offer
from harness.target.embedded import postgres, programs
from harness.target.embedded.credentials import Credentials
from harness.target.embedded.ground import Front, Ground, lay, running_on, stand_service
from harness.target.embedded.lasting import LastingLogs, LastingSite
from harness.target.embedded.rollout import OTHER
from harness.target.embedded.running import ONE_SHOTS, RunningEmbedded
from harness.target.embedded.site import Site, answers
from harness.target.embedded.target import EmbeddedTarget, version_with
from harness.target.supervise.procfs import Identity, send, wait_gone
from harness.target.supervise.supervisor import Supervisor

SERVICE = ("service-a", "service-b", "worker", OTHER, programs.RECEIVER)
"""What starts anew for each run."""

_DRAIN_WITHIN_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent(RunningEmbedded):
    """A running stack whose end is the end of its service only."""

    give_back: Callable[[], None]

    def stop(self) -> None:
        """End the service and its worker; the rest stays for the next. May be called twice."""
        self.give_back()


class StandingStack:
    """The stack; `close` ends it. Not for use from several threads: runs share it one after the other."""

    def __init__(self, *, logs: Path, seed: int = 1, state_directory: Path | None = None) -> None:
        """Start nothing yet. logs: where the servers write that outlive a run."""
        self._lasting = LastingLogs(logs)
        self._seed = seed
        self._state_directory = state_directory
        self._ground: Ground | None = None
        self._front: Front | None = None
        self._places: dict[str, str] = {}
        self._turns = 0
        self.stacks_started = 0

    def target(self, settings: Mapping[str, str]) -> "StandingTarget":
        """Return the target whose service has these settings; started when a run starts it."""
        return StandingTarget(self, settings)

    def close(self) -> None:
        """Stop everything within 7 s and remove the temporary directory. May be called twice."""
        if self._ground is not None:
            site, self._ground = self._ground.site, None
            site.give_up()
            site.supervisor.stop()

    def lend(self, settings: Mapping[str, str], needs: Needs, logs: Path) -> Lent:
        """Return the stack with a new service on it, as good as new. Raises StackError, with nothing left running.

        A stack that lost one of its servers, or cannot be emptied, is replaced.
        """
        try:
            return self._lend(settings, needs, logs)
        except BaseException:
            self._lasting.give(logs)
            raise

    def _lend(self, settings: Mapping[str, str], needs: Needs, logs: Path) -> Lent:
        if self._ground is not None:
            try:
                return self._renewed(self._ground, settings, needs, logs)
            except _WornOutError:
                self.close()
            except BaseException:
                self.close()
                raise
        return self._first(settings, needs, logs)

    def _first(self, settings: Mapping[str, str], needs: Needs, logs: Path) -> Lent:
        lasting = self._lasting.directory
        supervisor = Supervisor(logs=lasting, state_directory=self._state_directory)
        try:
            credentials = Credentials.generate(needs)
            anew = frozenset((*SERVICE, *ONE_SHOTS))
            site = LastingSite(supervisor, lasting=lasting, anew=anew, logs=logs, mask=credentials.mask)
            seed = self._seed + needs.seed
            ground = lay(site, credentials, seed=seed, start_proxy=lambda: programs.start_fault_proxy(site, seed=seed))
            wiring = _wiring(ground, credentials, settings, postgres.FIRST_DATABASE)
            self._places = stand_service(site, wiring, {})
            self._front = Front.start(site, self._places)
        except BaseException:
            supervisor.stop()
            raise
        self._ground = ground
        self.stacks_started += 1
        return self._lent(ground, wiring)

    def _renewed(self, ground: Ground, settings: Mapping[str, str], needs: Needs, logs: Path) -> Lent:
        site, self._turns = ground.site, self._turns + 1
        self._end_service()
        database = f"turn{self._turns}"
        made, old = Credentials.generate(needs), ground.credentials
        credentials = dataclasses.replace(
            made,
            database_password=old.database_password,
            store_password=old.store_password,
            provider_key=old.provider_key,
        )
        _must_stand(site)
        try:
            postgres.make_database(ground.database, old.database_password, database)
            with Store(ground.store, old.store_password) as store:
                store.call("FLUSHALL")
            for address in (ground.provider.control, ground.fault_proxy):
                _reset(address)
        except FaultError as error:
            raise _WornOutError(str(error)) from error
        site.move_logs(logs, credentials.mask)
        programs.provision(site, server=ground.database, credentials=credentials, database=database)
        wiring = _wiring(ground, credentials, settings, database)
        stand_service(site, wiring, self._places)
        assert self._front is not None
        front = self._front
        front.other.deal(0)
        site.wait("balancer", lambda: answers(front.address, "/ready"), within_s=10)
        return self._lent(ground, wiring)

    def _lent(self, ground: Ground, wiring: programs.Wiring) -> Lent:
        assert self._front is not None
        running = running_on(ground, wiring, self._front, self._places)
        fields = {field.name: getattr(running, field.name) for field in dataclasses.fields(running)}
        return Lent(**fields, give_back=self._give_back)

    def _give_back(self) -> None:
        self._end_service()
        if self._ground is not None:
            self._lasting.give(self._ground.site.logs)

    def _end_service(self) -> None:
        """Let the service drain and end; kill what does not."""
        if self._ground is None:
            return
        handles = self._ground.site.handles()
        names = [name for name in SERVICE if name in handles]
        self._ground.site.supervisor.let_go(names)  # the next service may have no use for one of them
        running = [Identity(pid=handles[name].pid, start_ticks=handles[name].start_ticks) for name in names]
        for identity in running:
            send(identity, signal.SIGTERM, signal.SIGCONT)
        for identity in wait_gone(running, within_s=_DRAIN_WITHIN_S):
            send(identity, signal.SIGKILL)
        wait_gone(running, within_s=2.0)


class StandingTarget:
    """A `Target` that borrows a standing stack for as long as a run takes."""

    def __init__(self, stack: StandingStack, settings: Mapping[str, str]) -> None:
        self._stack = stack
        self._settings = dict(settings)

    def offer(self) -> Offer:
        """Return what can be asked for; starts nothing."""
        return EmbeddedTarget(service_settings=self._settings).offer()

    def start(self, needs: Needs, logs: Path) -> RunningEmbedded:
        """Return the running stack. Raises StackError, with nothing left running."""
        return self._stack.lend(self._settings, needs, logs)


class _WornOutError(StackError):
    """The stack cannot be used once more: a new one must be started."""


def _wiring(ground: Ground, credentials: Credentials, settings: Mapping[str, str], database: str) -> programs.Wiring:
    return programs.Wiring(
        version=version_with(settings),
        credentials=credentials,
        links=ground.links,
        settings=settings,
        database=database,
        flags=programs.without_features(ground.site),
    )


def _must_stand(site: Site) -> None:
    """Raise _WornOutError where one of the servers below the service has ended."""
    lost = [name for name in site.supervisor.exits() if name not in (*SERVICE, *ONE_SHOTS)]
    if lost:
        raise _WornOutError(f"{', '.join(lost)} ended")


def _reset(address: str) -> None:
    """Send `POST /reset`. Raises FaultError."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=5.0)
    try:
        connection.request("POST", "/reset")
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException) as error:
        raise FaultError(f"{address} cannot be reset: {error}") from error
    finally:
        connection.close()
    if response.status >= 300:
        raise FaultError(f"{address} refused to be reset: {response.status}")
