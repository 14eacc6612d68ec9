"""A target as the other rooms see it: what it offers before it starts, and what it is once it runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from harness.model.notice import Channel
from harness.model.plan import LocustfileReference, PlainRequest, TargetReference
from harness.model.probe import Action, ActionDone, MadePrincipal
from harness.model.signals import Signals


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A connection of the target that runs through a Toxiproxy.

    name: `provider.primary`, `links.postgres`; proxy: its name at the Toxiproxy; addresses are `host:port`.
    published: we reach it through a container engine's published port, where something accepts before the proxy does.
    """

    name: str
    proxy: str
    toxiproxy_url: str
    listen: str
    upstream: str
    published: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessHandle:
    """A process of the target, bound so that a reused pid is never taken for it.

    start_ticks: field 22 of `/proc/PID/stat`. log: where it writes.
    """

    name: str
    pid: int
    start_ticks: int
    log: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerHandle:
    """A container of the target. engine: where its engine listens, `unix:///var/run/docker.sock`.

    networks: those that it belongs to, by name, with the names that others call it by there.
    """

    name: str
    container_id: str
    engine: str
    networks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """What sees the traffic of a Toxiproxy in a container, whose links we reach through published ports.

    url: of `harness.faults.witness`, beside it in its network. toxiproxy: its container, whose log names each connection.
    ports: of each link, by its name, as the target reaches it.
    """

    url: str
    toxiproxy: ContainerHandle
    ports: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """A store or a database of the target, reached past every link by whoever may change its settings.

    kind: `redis` or `postgres`. address: `host:port`. log: where it writes, None where that cannot be read here.
    """

    name: str
    kind: str
    address: str
    user: str = ""
    database: str = ""
    password: str | None = field(default=None, repr=False)
    log: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A wall clock of the target that can be moved: one of a file and a database.

    file: holds `+3600`, seconds, which a process reads as its distance from the machine's clock, as libfaketime does.
    container: the one in which that file is; None for a file of this machine.
    seen_at: a URL whose answers carry that clock in their `Date`.
    """

    file: Path | None = None
    container: ContainerHandle | None = None
    seen_at: str | None = None
    database: Dependency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandFault:
    """A fault of the user's own: commands without a shell, each of which says yes by ending with 0 within `within_s`.

    confirm: is it in force? prove: is it gone? acted: prints how often it has acted so far; empty where nothing can tell.
    """

    name: str
    apply: tuple[str, ...]
    confirm: tuple[str, ...]
    clear: tuple[str, ...]
    prove: tuple[str, ...]
    acted: tuple[str, ...] = ()
    within_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One instance of the service, reached past the balancer. live, ready, metrics: paths, None where there is none."""

    name: str
    base_url: str
    live: str | None = None
    ready: str | None = None
    metrics: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadProcess:
    """A process that ended by itself. last_lines: the end of its log."""

    name: str
    exit_code: int | None
    last_lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the harness allows itself on a target; None where nothing was said. faults: globs over the places."""

    rate_rps: float | None = None
    concurrency: int | None = None
    requests: int | None = None
    spend_usd: float | None = None
    faults: tuple[str, ...] = ("*",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approach:
    """How load reaches a target; by default OpenAI's way.

    base_path: what of the target's URL comes after the port; `chat_path` begins with it.
    auth_value: `${key}` stands for the principal's key. model_names: a scenario's model to the target's name for it.
    allowed_hosts: those beside loopback that somebody typed on the command line. max_in_flight: None for no bound.
    message: the question's template where the target speaks no OpenAI chat.
    """

    message: PlainRequest | None = None
    chat_path: str = "/v1/chat/completions"
    base_path: str = ""
    auth_header: str = "Authorization"
    auth_value: str = "Bearer ${key}"
    model_names: Mapping[str, str] = field(default_factory=dict)
    allowed_hosts: tuple[str, ...] = ()
    max_in_flight: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a target can be asked for, known before it starts.

    places: every `at` that a fault may name. capped_principals: users with a budget of their own can be made.
    rate_limit_per_minute: per user, None where there is none; the plan provisions users enough for its rate.
    model: what a request asks for where its class names no model of its own. models: those that a class may name
    beside it; None for any.
    prompt_tag: prompts carry `[hs:SEQ]`, by which the provider's calls are joined where no header is passed on.
    capabilities: what checks can use of it beside load: `actions.rotate-key`, `instances`, `principals.tenants`, `logs`.
    freeze_only: processes that nothing could start again, so that no fault may end them.
    missing: what is not offered (a place, `capped_principals`) to the key of a description that would offer it.
    limits: what the plan must keep to; None where the target is the harness's own.
    toxics_of_toxiproxy: the links run through a real Toxiproxy, which has its own toxics only and picks no requests.
    relayed: endpoints (`provider.primary`) that pass calls on to a real provider: no fault there decides what a model says.
    prices: (input, output) dollars per million tokens of the target's models, where its description tells them.
    locustfile: what says what is asked, in the place of a scenario's mix; None where the mix does.
    message: how a question is put where the target speaks no OpenAI chat; it then answers in one piece, never in streams.
    """

    reference: TargetReference
    places: frozenset[str]
    signals: Signals
    capped_principals: bool = True
    rate_limit_per_minute: int | None = None
    model: str = "auto"
    models: frozenset[str] | None = None
    prompt_tag: bool = False
    capabilities: frozenset[str] = frozenset()
    freeze_only: frozenset[str] = frozenset()
    missing: Mapping[str, str] = field(default_factory=dict)
    limits: Limits | None = None
    toxics_of_toxiproxy: bool = False
    relayed: frozenset[str] = frozenset()
    prices: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    locustfile: LocustfileReference | None = None
    message: PlainRequest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a plan asks of a target at its start.

    capped_principals: name to daily budget in dollars. made: further users, made for checks.
    """

    principals: int
    capped_principals: Mapping[str, float] = field(default_factory=dict)
    made: tuple[MadePrincipal, ...] = ()
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Landscape:
    """Where faults can reach a running target.

    provider_control_url: the simulated provider's control port, None for a foreign provider.
    start_again: starts a process of `processes` that has ended, by its name there, and returns its new handle once it
    is ready; raises StackError. None: no process may be ended, only frozen.
    process_now: gives the handle of a process of `processes` as it is now, for one that the target itself may have
    started again meanwhile; None: it never does.
    containers: processes that live in containers, which faults reach through the engine and not by signals.
    await_ready: waits until a container that was started again is ready; raises StackError.
    dependencies: what can be told to misbehave itself, by its place: `dependencies.redis`.
    host: the target runs on this machine, whose resources may run short. disks: file systems made to be filled, by their
    place: `disks.data`. clocks: those that can be moved: `clocks.service-a`. commands: faults of the user's own:
    `commands.redis-failover`.
    rollout: how another version is deployed, at `deploys.service`; None where the harness does not start the service.
    witness: who tells what went through a Toxiproxy that keeps no accounts itself; None where it does.
    """

    links: Mapping[str, Link]
    processes: Mapping[str, ProcessHandle] = field(default_factory=dict)
    provider_control_url: str | None = None
    start_again: Callable[[str], ProcessHandle] | None = None
    process_now: Callable[[str], ProcessHandle] | None = None
    containers: Mapping[str, ContainerHandle] = field(default_factory=dict)
    await_ready: Callable[[str], None] | None = None
    witness: Witness | None = None
    dependencies: Mapping[str, Dependency] = field(default_factory=dict)
    host: bool = False
    disks: Mapping[str, Path] = field(default_factory=dict)
    clocks: Mapping[str, Clock] = field(default_factory=dict)
    commands: Mapping[str, CommandFault] = field(default_factory=dict)
    rollout: "Rollout | None" = None


class Rollout(Protocol):
    """How another version of the service gets requests beside the present one. Every method raises StackError."""

    @property
    def instances(self) -> tuple[str, ...]:
        """The processes of the present version, by their names in `Landscape.processes`."""

    def start(self, *, version: str, defect: str | None) -> None:
        """Start the other version and wait until it is ready and the balancer knows; it gets no request yet."""

    def shift(self, percent: int) -> None:
        """Let the other version have so many percent of the requests from now on."""

    def percent(self) -> int:
        """Return how many it has."""

    def answering(self) -> str:
        """Return which version answers one request through the balancer, from outside."""

    def answered(self) -> int:
        """Return how many of the load's requests the other version has answered."""

    def end(self) -> None:
        """End the other version, once it has answered what it is at; nothing where there is none."""


class RunningTarget(Protocol):
    """A target that is up and healthy."""

    @property
    def reference(self) -> TargetReference:
        """Kind, name and the version that the target tells."""

    @property
    def base_url(self) -> str:
        """Where load goes, without a trailing slash."""

    @property
    def keys(self) -> Mapping[str, str]:
        """Principal to API key. A secret: never logged, never on a command line, never in the run directory."""

    @property
    def instances(self) -> tuple[Instance, ...]:
        """The instances behind the balancer; empty where they cannot be told apart."""

    @property
    def landscape(self) -> Landscape:
        """Where faults can reach it."""

    def died(self) -> list[DeadProcess]:
        """Return the processes that ended without being told to."""

    def stop(self) -> None:
        """Stop everything that was started, within 7 s, and remove its temporary directory. May be called twice."""


def approach_of(target: RunningTarget) -> Approach:
    """Return how load reaches a running target; one that has no `approach` of its own is reached in OpenAI's way."""
    approach = getattr(target, "approach", None)
    return approach if isinstance(approach, Approach) else Approach()


class Actor(Protocol):
    """A running target on which checks can have something done; not every target is one."""

    def act(self, action: Action) -> ActionDone:
        """Do what a check asks for; returns when it is done. Raises StackError where it cannot be done."""

    def ended_on_purpose(self) -> frozenset[str]:
        """Return the processes that an action has ended and none has started again."""


def actor_of(target: RunningTarget) -> Actor | None:
    """Return what acts on a running target; None where nothing can be done on it."""
    actor = getattr(target, "actor", None)
    return actor if actor is not None and hasattr(actor, "act") else None


@runtime_checkable
class Announced(Protocol):
    """A target whose owners want to be told of its runs."""

    def channels(self) -> tuple[Channel, ...]:
        """Return whom to tell. Raises ConfigurationError."""


class Target(Protocol):
    """A way to get a running target."""

    def offer(self) -> Offer:
        """Return what can be asked for; starts nothing."""

    def start(self, needs: Needs, logs: Path) -> RunningTarget:
        """Start and wait for health. Raises StackError, with nothing left running."""
