"""Our own Python programs in the stack, and the environment that each is told its place by."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.errors import StackError
from harness.model.target import Link
from harness.target.embedded import postgres, receiver, valkey
from harness.target.embedded.credentials import Credentials
from harness.target.embedded.site import Program, Site, answers

_READY_WITHIN_S = 30.0

RECEIVER = "receiver"
WEBHOOK, HERE = "SERVICE_WEBHOOK_URL", "here"
"""The setting that has the stack receive the answers to messages itself: `--service webhook_url=here`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """The simulated provider: `host:port` of its control and of each endpoint."""

    control: str
    endpoints: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """What the service and its worker are told: everything reached through a link.

    database: its name on the server. flags: the file of feature flags, which checks change; none are on until then.
    """

    version: str
    credentials: Credentials
    links: Mapping[str, Link]
    settings: Mapping[str, str] = field(repr=False)
    database: str = postgres.FIRST_DATABASE
    flags: str = ""

    def environment(self) -> dict[str, str]:
        """Return the environment of service and worker, secrets included; the user's settings win."""
        return {
            "SERVICE_DATABASE_URL": postgres.url(
                self.links["links.postgres"].listen, self.credentials.database_password, self.database
            ),
            "SERVICE_STORE_URL": valkey.url(self.links["links.redis"].listen, self.credentials.store_password),
            "SERVICE_PROVIDER_PRIMARY_URL": f"http://{self.links['provider.primary'].listen}/v1",
            "SERVICE_PROVIDER_SECONDARY_URL": f"http://{self.links['provider.secondary'].listen}/v1",
            "SERVICE_PROVIDER_KEY": self.credentials.provider_key,
            "SERVICE_VERSION": self.version,
            "SERVICE_FLAGS": self.flags,
            **self.settings,
        }


def start_provider(site: Site, *, seed: int, relay: str | None = None) -> Provider:
    """Start the simulated provider. relay: the order to stand before a real one, JSON with its key. Raises StackError."""
    before_a_real_one = () if relay is None else ("--relay",)

    def program(control: str, endpoints: Mapping[str, str]) -> Program:
        listening = [part for name, address in endpoints.items() for part in ("--endpoint", f"{name}={address}")]
        arguments = (*listening, "--control", control, "--seed", str(seed), *before_a_real_one)
        return Program.python("provider", "harness.provider", *arguments, stdin=relay, stop_layer=1)

    anywhere = "127.0.0.1:0"
    said = site.announce(program(anywhere, {"primary": anywhere, "secondary": anywhere}), within_s=_READY_WITHIN_S)
    listening = said.get("endpoints")
    if not isinstance(listening, dict) or not {"primary", "secondary"} <= listening.keys():
        raise StackError(f"provider does not say where its endpoints listen: {dict(said)}")
    provider = Provider(control=_address(said, "control", "provider"), endpoints={str(k): str(v) for k, v in listening.items()})
    again = program(provider.control, provider.endpoints)
    site.remember("provider", lambda: site.announce(again, within_s=_READY_WITHIN_S))
    return provider


def start_fault_proxy(site: Site, *, seed: int) -> str:
    """Start the fault proxy; return `host:port` of its API. Raises StackError."""
    arguments = ("--host", "127.0.0.1", "--port", "0", "--seed", str(seed))
    said = site.announce(Program.python("faultproxy", "harness.faultproxy", *arguments, stop_layer=1), within_s=_READY_WITHIN_S)
    return _address(said, "api", "faultproxy")


def start_toxiproxy(site: Site, binary: Path) -> str:
    """Start a real Toxiproxy in the fault proxy's place; return `host:port` of its API. Raises StackError."""

    def program(port: int) -> Program:
        command = (str(binary), "-host", "127.0.0.1", "-port", str(port))
        return Program(name="toxiproxy", command=command, stop_layer=1)

    return f"127.0.0.1:{site.listen(program, lambda port: answers(f'127.0.0.1:{port}', '/version'), within_s=_READY_WITHIN_S)}"


def provision(site: Site, *, server: str, credentials: Credentials, database: str = postgres.FIRST_DATABASE) -> None:
    """Make schema and users. server: `host:port`, reached directly. Raises StackError."""
    environment = {"SERVICE_DATABASE_URL": postgres.url(server, credentials.database_password, database)}
    program = Program.python(
        "provision", "reference_service.provision", environment=environment, stdin=credentials.provisioning()
    )
    site.run(program, within_s=60)


def flags_file(site: Site) -> Path:
    """Return where the feature flags of the service on this site stand."""
    return site.directory / "flags.json"


def without_features(site: Site) -> str:
    """Make the file of feature flags with nothing in it, as a run begins; return its path."""
    file = flags_file(site)
    file.write_text("{}\n", encoding="ascii")
    return str(file)


def clock_file(site: Site, name: str) -> Path:
    """Return where the distance of an instance's wall clock from the machine's stands; no file is none."""
    return site.directory / f"clock-{name}"


def start_service(site: Site, name: str, wiring: Wiring, listen: str = "127.0.0.1:0") -> str:
    """Start one instance, `a` or `b`; return its `host:port`. Raises StackError."""

    def program(listen: str) -> Program:
        own = {"SERVICE_LISTEN": listen, "SERVICE_INSTANCE": name, "SERVICE_CLOCK": str(clock_file(site, name))}
        environment = wiring.environment() | own
        return Program.python(f"service-{name}", "reference_service.serve", environment=environment)

    said = site.announce(program(listen), within_s=_READY_WITHIN_S)
    address = _address(said, "listen", f"service-{name}")
    again = program(address)  # where the balancer looks for it
    site.remember(again.name, lambda: site.announce(again, within_s=_READY_WITHIN_S))
    return address


def start_other_version(site: Site, wiring: Wiring, listen: str, *, name: str, settings: Mapping[str, str]) -> None:
    """Start one instance of another version at `host:port`. Raises StackError."""
    environment = wiring.environment() | {"SERVICE_LISTEN": listen, "SERVICE_INSTANCE": name} | dict(settings)
    site.announce(Program.python(name, "reference_service.serve", environment=environment), within_s=_READY_WITHIN_S)


def with_a_receiver(site: Site, wiring: Wiring) -> Wiring:
    """Return what the worker is told: where its deliveries go, if they are to be received here. Raises StackError."""
    if wiring.settings.get(WEBHOOK) != HERE:
        return wiring
    program = Program(name=RECEIVER, command=(sys.executable, "-I", receiver.__file__), stop_layer=1)
    address = _address(site.announce(program, within_s=_READY_WITHIN_S), "listen", RECEIVER)
    return replace(wiring, settings={**wiring.settings, WEBHOOK: f"http://{address}/"})


def start_worker(site: Site, wiring: Wiring) -> None:
    """Start the service's worker. Raises StackError."""
    program = Program.python("worker", "reference_service.worker", environment=wiring.environment())
    site.announce(program, within_s=_READY_WITHIN_S)


def _address(said: Mapping[str, object], key: str, name: str) -> str:
    address = said.get(key)
    if not isinstance(address, str) or not address.rpartition(":")[2].isdigit():
        raise StackError(f"{name} does not say where it listens: no {key!r} in {dict(said)}")
    return address
