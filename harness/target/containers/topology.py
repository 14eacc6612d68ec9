"""What the stack is made of: each part, what it is told and how it is seen to be ready."""

import json
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from harness.model.target import Dependency
from harness.target.containers.links import API, INSIDE
from harness.target.containers.part import SECRETS, Part
from harness.target.embedded import balancer
from harness.target.embedded.credentials import Credentials
from harness.target.embedded.rollout import OTHER
from harness.target.operating.programs import planted
from harness.target.operating.releasing import PROGRAM

SERVICE_PORT = 8080
CONTROL_PORT = 8003
WITNESS_PORT = 8475
POSTGRES_PORT, REDIS_PORT = 5432, 6379
INSTANCES = {"a": "service-a", "b": "service-b"}
SHARE = PurePosixPath(SECRETS, "green")
"""In the balancer's volume: the share of the requests that another version gets, read by Caddy with every request."""
FLAGS = "flags/flags.json"
"""The file of feature flags of each instance and of the worker, below its secrets; none are on until a check sets one."""
CLOCK = PurePosixPath(SECRETS, "clock")
"""How far an instance's wall clock is from the machine's, in a volume of its own."""
ROLLOUT = "rollout"
"""The container of the operators' rollout program, while it runs."""
_DATABASE_USER = "gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The parts of one run. images: by key. settings: of the service, over what the stack tells it."""

    images: Mapping[str, str]
    version: str
    credentials: Credentials
    seed: int
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)

    def toxiproxy(self) -> Part:
        """The real Toxiproxy; it also publishes the witness, which lives in its network."""
        return Part(
            name="toxiproxy",
            image=self.images["toxiproxy"],
            command=("-host=0.0.0.0", f"-seed={self.seed}"),
            environment={"LOG_LEVEL": "info"},  # its default writes lines for every chunk
            published=(API, WITNESS_PORT, *INSIDE.values()),
        )

    def witness(self) -> Part:
        """What reads the kernel's counters beside the Toxiproxy."""
        ports = ",".join(str(port) for port in INSIDE.values())
        command = ("harness.faults.witness", "--listen", f"0.0.0.0:{WITNESS_PORT}", "--ports", ports)
        return Part(name="witness", image=self.images["provider"], command=command, inside="toxiproxy", memory_mb=128)

    def postgres(self) -> Part:
        """PostgreSQL with pgvector; nothing of it outlives the run, so it need not reach the disk."""
        settings = ("fsync=off", "full_page_writes=off", "max_parallel_workers_per_gather=0", "autovacuum_naptime=5s")
        more = ("log_min_error_statement=panic", "shared_buffers=64MB")  # a statement may hold a key
        return Part(
            name="postgres",
            image=self.images["postgres"],
            command=("postgres", *(part for setting in (*settings, *more) for part in ("-c", setting))),
            environment={
                "POSTGRES_USER": _DATABASE_USER,
                "POSTGRES_DB": "postgres",
                "POSTGRES_PASSWORD_FILE": f"{SECRETS}/password",
            },
            files={"password": self.credentials.database_password},
            published=(POSTGRES_PORT,),
            read_only=False,
        )

    def redis(self) -> Part:
        """Valkey with a password and nothing on disk."""
        settings = f'requirepass {self.credentials.store_password}\nbind * -::*\nprotected-mode yes\nsave ""\nappendonly no\n'
        return Part(
            name="redis",
            image=self.images["valkey"],
            command=("valkey-server", f"{SECRETS}/valkey.conf"),
            files={"valkey.conf": settings},
            published=(REDIS_PORT,),
            read_only=False,
        )

    def dependencies(self, address: Callable[[str, int], str]) -> dict[str, Dependency]:
        """Return store and database as faults reach them: past every link. Holds their passwords.

        address: of a container's published port, as `host:port`.
        """
        return {
            "dependencies.redis": Dependency(
                name="redis", kind="redis", address=address("redis", REDIS_PORT), password=self.credentials.store_password
            ),
            "dependencies.postgres": Dependency(
                name="postgres",
                kind="postgres",
                address=address("postgres", POSTGRES_PORT),
                user=_DATABASE_USER,
                database="postgres",
                password=self.credentials.database_password,
            ),
        }

    def provider(self) -> Part:
        """The simulated provider: two endpoints for the service, the control port for us."""
        endpoints = ("--endpoint", "primary=0.0.0.0:8001", "--endpoint", "secondary=0.0.0.0:8002")
        return Part(
            name="provider",
            image=self.images["provider"],
            command=("harness.provider", *endpoints, "--control", f"0.0.0.0:{CONTROL_PORT}", "--seed", str(self.seed)),
            published=(CONTROL_PORT,),
        )

    def provision(self) -> Part:
        """Makes schema and users, past the Toxiproxy, and ends."""
        return Part(
            name="provision",
            image=self.images["service"],
            entrypoint=("sh", "-c"),
            command=(f"exec python -m reference_service.provision < {SECRETS}/users",),
            environment={"SERVICE_DATABASE_URL_FILE": f"{SECRETS}/database-url"},
            files={"users": self.credentials.provisioning(), "database-url": self.database_url("postgres:5432")},
        )

    def service(self, instance: str) -> Part:
        """One instance, `a` or `b`."""
        return self._instance(INSTANCES[instance], {"SERVICE_INSTANCE": instance})

    def other_version(self, settings: Mapping[str, str]) -> Part:
        """One instance of another version, which these settings make of it."""
        return self._instance(OTHER, {"SERVICE_INSTANCE": OTHER, **settings})

    def rollout(self, arguments: Sequence[str]) -> Part:
        """The operators' rollout program, which writes into the balancer's files: as the balancer's user, who is root."""
        return Part(
            name=ROLLOUT,
            image=self.images["service"],
            command=(PROGRAM, *arguments),
            environment=planted(self.settings),
            files_of="balancer",
            user="0:0",
        )

    def _instance(self, name: str, settings: Mapping[str, str]) -> Part:
        environment, files = self._wiring()
        return Part(
            name=name,
            image=self.images["service"],
            command=("reference_service.serve",),
            environment=environment | {"SERVICE_LISTEN": f"0.0.0.0:{SERVICE_PORT}", "SERVICE_CLOCK": str(CLOCK)} | dict(settings),
            files=files | {CLOCK.name: "+0\n"},
            published=(SERVICE_PORT,),
        )

    def worker(self) -> Part:
        """The service's worker."""
        environment, files = self._wiring()
        return Part(
            name="worker",
            image=self.images["service"],
            command=("reference_service.worker",),
            environment=environment,
            files=files,
        )

    def balancer(self) -> Part:
        """Caddy before the two instances and the place of another version, told what the embedded one is told."""
        instances = [f"{name}:{SERVICE_PORT}" for name in INSTANCES.values()]
        other = balancer.OtherVersion(f"{OTHER}:{SERVICE_PORT}", Path(SHARE))
        slots = {"blue": instances, "green": [other.address]}
        configuration = balancer.configuration_of(f":{SERVICE_PORT}", instances, Path("/data"), other)
        return Part(
            name="balancer",
            image=self.images["caddy"],
            command=("caddy", "run", "--config", f"{SECRETS}/caddy.json"),
            files={
                "caddy.json": json.dumps(configuration),
                SHARE.name: balancer.text_of(0),
                "slots.json": json.dumps(slots),  # who is who, for the operators' rollout program
            },
            published=(SERVICE_PORT,),
            read_only=False,
        )

    def _wiring(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return the environment of service and worker, and their files: what is secret of it, and no feature on.

        The user's settings win.
        """
        secret = {
            "DATABASE_URL": ("database-url", self.database_url(f"toxiproxy:{INSIDE['links.postgres']}")),
            "STORE_URL": ("store-url", f"redis://:{self.credentials.store_password}@toxiproxy:{INSIDE['links.redis']}/0"),
            "PROVIDER_KEY": ("provider-key", self.credentials.provider_key),
        }
        kept = {name: part for name, part in secret.items() if f"SERVICE_{name}" not in self.settings}
        environment = {
            **{f"SERVICE_{name}_FILE": f"{SECRETS}/{file}" for name, (file, _) in kept.items()},
            "SERVICE_PROVIDER_PRIMARY_URL": f"http://toxiproxy:{INSIDE['provider.primary']}/v1",
            "SERVICE_PROVIDER_SECONDARY_URL": f"http://toxiproxy:{INSIDE['provider.secondary']}/v1",
            "SERVICE_VERSION": self.version,
            "SERVICE_FLAGS": f"{SECRETS}/{FLAGS}",
            **self.settings,
        }
        return environment, {**dict(kept.values()), FLAGS: "{}\n"}

    def database_url(self, address: str) -> str:
        """Return how the database is reached at `host:port`, its password in it."""
        return f"postgresql://{_DATABASE_USER}:{self.credentials.database_password}@{address}/postgres"


def postgres_ready(address: str) -> bool | None:
    """Return True once a server at `host:port` asks for a password; None while it starts, or refuses."""
    parameters = b"user\0" + _DATABASE_USER.encode() + b"\0database\0postgres\0\0"
    start_up = (len(parameters) + 8).to_bytes(4, "big") + (196608).to_bytes(4, "big") + parameters
    return True if _asked(address, start_up, 1) == b"R" else None


def redis_ready(address: str, password: str) -> bool | None:
    """Return True once a server at `host:port` lets us in; None before."""
    return True if _asked(address, f"AUTH {password}\r\n".encode("ascii"), 5) == b"+OK\r\n" else None


def redis_open(address: str) -> bool | None:
    """Return True once a server at `host:port` answers anything, if only that a password is needed; None before."""
    return True if _asked(address, b"PING\r\n", 1) in {b"-", b"+"} else None


def _asked(address: str, question: bytes, size: int) -> bytes:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1.0) as connection:
            connection.sendall(question)
            return connection.recv(size)
    except OSError:
        return b""
