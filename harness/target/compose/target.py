"""The compose target: the stack of `docker-compose.yaml`, up already, with users of this run's own."""

import contextlib
import http.client
import json
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import harness
from harness.errors import StackError, StorageError
from harness.faults.engine import Engine, EngineError
from harness.model.plan import TargetReference
from harness.model.target import Instance, Link, Needs, Offer, Witness
from harness.target.compose.actor import STACK, ComposeActor, compose_hands
from harness.target.compose.project import Project
from harness.target.compose.running import RunningCompose, wait_ready
from harness.target.containers import label, topology
from harness.target.containers.create import container_of, engine_errors
from harness.target.containers.links import API, INSIDE, UPSTREAMS
from harness.target.containers.part import SECRETS, Part
from harness.target.containers.running import FAULTABLE
from harness.target.containers.testcontainers_settings import settle
from harness.target.containers.topology import CONTROL_PORT, INSTANCES, POSTGRES_PORT, SERVICE_PORT, WITNESS_PORT
from harness.target.embedded import EmbeddedTarget
from harness.target.embedded.credentials import Credentials
from harness.target.embedded.site import answers
from harness.target.operating.programs import OperatorPrograms
from harness.target.operating.workshop import Workshop
from harness.target.reference_capabilities import LIVE, METRICS, READY, REFERENCE_CAPABILITIES
from harness.target.reference_signals import REFERENCE_SIGNALS
from harness.target.supervise.logs import Mask

_PROVISION_WITHIN_S = 60.0
_PROJECT_SECRETS = "/run/project"
_ROLE, _DATABASE = "gateway", "postgres"
"""As `docker-compose.yaml` makes them."""


class ComposeTarget:
    """A `Target` that somebody brought up with `docker compose up`."""

    def offer(self) -> Offer:
        """Return what can be asked for; looks at nothing."""
        containers = {f"{kind}.{name}" for kind in ("processes", "containers") for name in FAULTABLE}
        return Offer(
            reference=TargetReference(kind="compose", name="reference-service", version=harness.__version__),
            places=frozenset({*INSIDE, *containers}),
            signals=REFERENCE_SIGNALS,
            capped_principals=True,
            toxics_of_toxiproxy=True,
            rate_limit_per_minute=EmbeddedTarget().offer().rate_limit_per_minute,
            capabilities=REFERENCE_CAPABILITIES | ComposeActor.capabilities(),
        )

    def lock_name(self) -> str:
        """Return what two runs must not load at once: the one stack that is up."""
        return "compose"

    def start(self, needs: Needs, logs: Path) -> RunningCompose:
        """Find the stack, see it whole, free it of toxics and old records, and make the users of this run.

        Raises StackError or StorageError, with nothing of ours left.
        """
        engine = Engine.find()
        settle(engine)
        project = Project.find(engine)
        try:
            logs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"cannot write {logs}: {error.strerror}") from error
        began_s = time.time()
        toxiproxy = project.published("toxiproxy", API)
        control = project.published("provider", CONTROL_PORT)
        _post(toxiproxy, "/reset")
        _post(control, "/reset")
        database, password = project.published("postgres", POSTGRES_PORT), project.secret("database-password")
        credentials = Credentials.generate(needs)
        names = _provision(project, credentials, run=logs.resolve().parent.name, within_s=_PROVISION_WITHIN_S)
        listening = {name: project.published("toxiproxy", port) for name, port in INSIDE.items()}
        instances = {name: project.published(part, SERVICE_PORT) for name, part in INSTANCES.items()}
        front = project.published("balancer", SERVICE_PORT)
        ready: dict[str, Callable[[], bool | None]] = {
            "postgres": lambda: topology.postgres_ready(listening["links.postgres"]),
            "redis": lambda: topology.redis_open(listening["links.redis"]),
            "provider": lambda: answers(control, "/health"),
            "worker": lambda: _running(engine, project.found["worker"]["Id"]),
            "balancer": lambda: answers(front, "/ready"),
            **{part: (lambda name=name: answers(instances[name], "/ready")) for name, part in INSTANCES.items()},  # type: ignore[misc]
        }
        workshop, mask = Workshop(logs, stack=STACK), Mask.of([*credentials.mask.secrets, password])
        programs = OperatorPrograms(
            database_url=f"postgresql://{_ROLE}:{password}@{database}/{_DATABASE}",
            settings={},
            mask=mask,
            directory=workshop.directory,
        )
        running = RunningCompose(
            project=project,
            logs=logs,
            mask=mask,
            began_s=began_s,
            reference=TargetReference(kind="compose", name="reference-service", version=project.version()),
            base_url=f"http://{front}",
            keys=credentials.keys,
            instances=tuple(
                Instance(name=name, base_url=f"http://{address}", live=LIVE, ready=READY, metrics=METRICS)
                for name, address in instances.items()
            ),
            links={
                name: Link(name=name, proxy=name, toxiproxy_url=f"http://{toxiproxy}", listen=listen, upstream=UPSTREAMS[name])
                for name, listen in listening.items()
            },
            provider_control_url=f"http://{control}",
            witness=Witness(
                url=f"http://{project.published('toxiproxy', WITNESS_PORT)}",
                toxiproxy=project.handle("toxiproxy"),
                ports=dict(INSIDE),
            ),
            ready=ready,
            actor=ComposeActor(
                compose_hands(project, lambda name: wait_ready(name, ready)),
                programs,
                keys=credentials.keys,
                names=names,
                base_url=f"http://{front}",
            ),
            workshop=workshop,
        )
        for name in FAULTABLE:
            running.await_ready(name)
        return running


def _provision(project: Project, credentials: Credentials, *, run: str, within_s: float) -> dict[str, str]:
    """Make the users in the project's database, under names of their own, returned: yesterday's spend must not count."""
    suffix = secrets.token_hex(4)
    users = json.loads(credentials.provisioning())["users"]
    names = {user["name"]: f"{user['name']}-{suffix}" for user in users}
    for user in users:
        user["name"], user["tenant"] = names[user["name"]], f"{user['tenant']}-{suffix}"
    part = Part(
        name="provision",
        image=project.found["service-a"]["Config"]["Image"],
        entrypoint=("sh", "-c"),
        command=(f"exec python -m reference_service.provision < {SECRETS}/users",),
        environment={"SERVICE_DATABASE_URL_FILE": f"{_PROJECT_SECRETS}/database-url-direct"},
        files={"users": json.dumps({"users": users})},
    )
    container = container_of(part, None)
    container.with_volume_mapping(project.secrets_volume(), _PROJECT_SECRETS, "ro")
    container.with_kwargs(**container._kwargs, network=project.network(), labels=label.labels(suffix, run, "provision"))
    container_id = None
    try:
        with engine_errors("provision"):
            container.start()
        container_id = container.get_container_id()
        _wait_ended(project.engine, container_id, within_s)
    finally:
        if container._container is not None:
            with contextlib.suppress(EngineError):
                project.engine.ask("DELETE", f"/containers/{container._container.id}", query={"force": "1", "v": "1"})
    return names


def _wait_ended(engine: Engine, container_id: str, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while (state := engine.ask("GET", f"/containers/{container_id}/json")["State"])["Running"]:
        if time.monotonic() > deadline:
            raise StackError(f"the users of the run could not be made within {within_s:.0f} s")
        time.sleep(0.05)
    if state["ExitCode"] != 0:
        said = engine.logs(container_id).decode(errors="replace").strip()[-500:]
        raise StackError(f"the users of the run could not be made (exit {state['ExitCode']}): {said}")


def _running(engine: Engine, container_id: str) -> bool | None:
    return True if engine.ask("GET", f"/containers/{container_id}/json")["State"]["Running"] else None


def _post(address: str, path: str) -> None:
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=5.0)
    try:
        connection.request("POST", path)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise StackError(f"POST {path} at {address} got no answer: {error}", advice="docker compose ps") from error
    finally:
        connection.close()
    if status >= 400:
        raise StackError(f"POST {path} at {address} was answered {status}")
