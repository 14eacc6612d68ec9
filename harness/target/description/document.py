"""A target description as it is written: strict, unknown keys forbidden. Reference: `docs/reference/target.md`."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from harness.model.outcome import Source
from harness.target.description.parts import (
    Command,
    ContainerName,
    Duration,
    HostPort,
    Listen,
    Name,
    SavedPath,
    Secret,
    UnitName,
    Url,
    UrlPath,
)
from harness.target.description.predicates import ClaimDocument, RuleDocument, SignalDocument
from harness.target.description.texts import header_name


class Strict(BaseModel):
    """What every part of a description has in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class MessageDocument(Strict):
    """How a service that speaks no OpenAI chat is asked, and where its answer stands.

    body: JSON, in whose texts `${prompt}`, `${model}` and `${n}` (the request's number) stand; a text that is
    `${max_tokens}` alone becomes a number or null. answer: JSON path of the text, without which it is no answer.
    """

    url: UrlPath
    body: Annotated[dict[str, object], Field(min_length=1)]
    answer: SavedPath
    prompt_tokens: SavedPath | None = None
    completion_tokens: SavedPath | None = None


class VersionDocument(Strict):
    """`{header: x-version}`: read from the first answer."""

    header: str


class AuthDocument(Strict):
    """`{header: Authorization, value: "Bearer ${key}"}`; `${key}` is the principal's."""

    header: Annotated[str, BeforeValidator(header_name)] = "Authorization"
    value: str = "Bearer ${key}"


class PrincipalDocument(Strict):
    """`{key: "${env:KEY_A}"}`."""

    key: Secret


class StepDocument(Strict):
    """One request of a provisioning or a reset, to the target itself. `save`: names for values of the answer.

    only: for principals with a budget of their own (`capped`) or without (`ordinary`); for all where it is absent.
    """

    post: UrlPath
    body: dict[str, object] = {}
    headers: dict[str, str] = {}
    save: dict[Name, SavedPath] = {}
    only: Literal["capped", "ordinary"] | None = None


class KeyStepDocument(StepDocument):
    """A step whose answer holds the principal's key, at a JSON path."""

    key: SavedPath | None = None


class ProvisionCommandDocument(Strict):
    """`{command: [...]}`: reads the principals as JSON on standard input, prints their keys. See the reference."""

    command: Command
    env: dict[str, str] = {}
    within: Duration = 60_000_000_000


def _shape(value: object) -> str:
    if isinstance(value, dict) and "command" in value:
        return "Command"
    return "Steps" if isinstance(value, list) else "Step"


Provision = Annotated[
    Annotated[ProvisionCommandDocument, Tag("Command")]
    | Annotated[KeyStepDocument, Tag("Step")]
    | Annotated[list[KeyStepDocument], Tag("Steps")],
    Discriminator(_shape),
]
"""How principals are made: one request, several, or a command."""


class UpstreamDocument(Strict):
    """A real provider. url: up to what `/chat/completions` follows, `https://HOST/v1`."""

    url: Url
    key: Secret


class EndpointDocument(Strict):
    """Where the target calls one of its models: `{listen: auto}` or a fixed `HOST:PORT` that it already knows.

    advertise: what the target is told instead, where it does not reach this machine as 127.0.0.1.
    upstream: the real provider that its calls are passed on to; the simulated one answers where there is none.
    """

    listen: Listen = "auto"
    advertise: HostPort | None = None
    upstream: UpstreamDocument | None = None


class ProviderDocument(Strict):
    """What stands in the place of the target's provider, each endpoint behind a link of its own.

    key: what the target shows, where it runs already and cannot be told `${provider.key}`.
    """

    key: Secret | None = None
    endpoints: Annotated[dict[Literal["primary", "secondary"], EndpointDocument], Field(min_length=1)]


class LinkDocument(Strict):
    """A connection through the embedded fault proxy (`upstream`), or through a Toxiproxy in place (`toxiproxy`, `proxy`)."""

    upstream: HostPort | None = None
    listen: Listen = "auto"
    advertise: HostPort | None = None
    toxiproxy: Url | None = None
    proxy: str | None = None


class ReadyDocument(Strict):
    """`{get: /health, within: 60s}`: a 2xx answer means ready."""

    get: UrlPath = "/health"
    within: Duration = 60_000_000_000


class StartDocument(Strict):
    """How the harness starts the target; without it the target runs already and is left running.

    One of command, image and compose; an image may have a command too: its arguments.
    """

    command: Command | None = None
    image: Annotated[str | None, Field(pattern=r"^[a-z0-9][A-Za-z0-9._/:@-]{0,254}$")] = None
    compose: Annotated[str | None, Field(min_length=1)] = None
    env: dict[str, str] = {}
    directory: str | None = None
    ready: ReadyDocument = ReadyDocument()


class ProcessDocument(Strict):
    """A process that faults may touch: by its pid, by its unit of systemd, or by its container.

    pid_file, command: where its pid stands, or what prints it. start: starts it again; a unit is started by `systemctl start`
    where nothing else is said, a container by its engine.
    """

    pid_file: str | None = None
    command: Command | None = None
    unit: UnitName | None = None
    container: ContainerName | None = None
    start: Command | None = None

    @property
    def told_by(self) -> tuple[str, ...]:
        """Return the keys that say where its pid is told."""
        return tuple(key for key in ("pid_file", "command", "unit", "container") if getattr(self, key) is not None)

    @property
    def starts_again(self) -> bool:
        """Return whether something can start it once it has ended."""
        return self.start is not None or self.unit is not None or self.container is not None


class ClockDocument(Strict):
    """A wall clock that can be moved: a process reads its distance from the true time from `file`, as libfaketime does.

    seen_at: a path of the target whose answers carry that clock in their `Date`.
    """

    file: Annotated[str, Field(min_length=1)]
    seen_at: UrlPath = "/"


class FaultDocument(Strict):
    """A fault of the user's own. Each command says yes by ending with 0 within `within`; none is run by a shell.

    confirm: is it in force? prove: is it gone? acted: prints how often it has acted so far.
    lease: how long it may outlive a harness that was killed.
    """

    apply: Command
    confirm: Command
    clear: Command
    prove: Command
    acted: Command | None = None
    within: Duration = 10_000_000_000
    lease: Duration = 60_000_000_000


class SourceDocument(Strict):
    """`{is: canned, when: {header: x-degraded, equals: canned}}`."""

    is_: Annotated[Source, Field(alias="is")]
    when: SignalDocument


class SignalsDocument(Strict):
    """What the target says of its own answers. source: first match wins; without it every answer is the primary's."""

    fallback: ClaimDocument | None = None
    cache: ClaimDocument | None = None
    cost: ClaimDocument | None = None
    degraded: ClaimDocument | None = None
    source: list[SourceDocument] = []


class RefusalsDocument(Strict):
    """How refusals are told apart by guard; first match wins, what matches none is an error."""

    budget: list[RuleDocument] = []
    rate: list[RuleDocument] = []
    guard: list[RuleDocument] = []
    auth: list[RuleDocument] = []
    unavailable: list[RuleDocument] = []
    shed: list[RuleDocument] = []


class PriceDocument(Strict):
    """Dollars per million tokens."""

    input_usd_per_mtok: Annotated[float, Field(ge=0)]
    output_usd_per_mtok: Annotated[float, Field(ge=0)]


class BudgetDocument(Strict):
    """What the target does with budgets. principal, cap_usd: a user who has a budget already."""

    principal: str | None = None
    cap_usd: Annotated[float, Field(gt=0)] | None = None
    period: Literal["day", "month", "total"] = "day"
    reset: StepDocument | None = None
    prices: dict[str, PriceDocument] = {}


class CorrelateDocument(Strict):
    """`{header: x-request-id}` where the target passes it on to its model, or `{prompt_tag: true}`."""

    header: str | None = None
    prompt_tag: bool | None = None
    but_not: list[str] = []


class LogDocument(Strict):
    """`{file: a.log}`."""

    file: str


class InstanceDocument(Strict):
    """One instance behind the balancer."""

    name: Name
    base_url: Url
    metrics: UrlPath | None = None
    live: UrlPath | None = None
    ready: UrlPath | None = None
    log: LogDocument | None = None


class LimitsDocument(Strict):
    """What the harness holds itself to. faults: globs over places, `provider.*`."""

    rate_rps: Annotated[float, Field(gt=0)] | None = None
    concurrency: Annotated[int, Field(gt=0)] | None = None
    requests: Annotated[int, Field(gt=0)] | None = None
    spend_usd: Annotated[float, Field(ge=0)] | None = None
    faults: list[str] = ["*"]


class LocustfileDocument(Strict):
    """`{locustfile: users.py}`: the tasks of a locustfile are what is asked, in the place of a scenario's mix."""

    locustfile: Annotated[str, Field(min_length=1)]


def _spoken(value: object) -> str:
    return "Locustfile" if isinstance(value, dict) else "Name"


Spoken = Annotated[
    Annotated[Literal["openai-chat", "message"], Tag("Name")] | Annotated[LocustfileDocument, Tag("Locustfile")],
    Discriminator(_spoken),
]
"""How the target is spoken to."""


class HealthDocument(Strict):
    """`{get: /health}`: asked before the first request; anything but a 2xx answer ends the run there."""

    get: UrlPath


class ActionDocument(Strict):
    """One thing that checks may have done: a request to the target, or a command.

    key: of `rotate-key`, the JSON path of the new key in the answer; a command prints it on a line `{"key": "..."}`.
    """

    post: UrlPath | None = None
    body: dict[str, object] = {}
    headers: dict[str, str] = {}
    key: SavedPath | None = None
    command: Command | None = None
    env: dict[str, str] = {}
    within: Duration = 30_000_000_000


class GrafanaDocument(Strict):
    """Where annotations go: the base address of Grafana, and a token of a service account."""

    url: Url
    token: Secret


class NotifyDocument(Strict):
    """Whom to tell of a run: `{webhook: "${env:HOOK}"}`, or `{grafana: {url: ..., token: "${env:TOKEN}"}}`."""

    webhook: Secret | None = None
    grafana: GrafanaDocument | None = None


class TargetDocument(Strict):
    """A target description."""

    name: Name
    base_url: Url
    version: VersionDocument | str | None = None
    protocol: Spoken = "openai-chat"
    message: MessageDocument | None = None
    chat_path: UrlPath = "/v1/chat/completions"
    auth: AuthDocument = AuthDocument()
    principals: dict[Name, PrincipalDocument] = {}
    provision: Provision | None = None
    models: Annotated[dict[str, str], Field(min_length=1)] = {"normal": "auto"}
    provider: ProviderDocument | None = None
    links: dict[Name, LinkDocument] = {}
    start: StartDocument | None = None
    health: HealthDocument | None = None
    processes: dict[Name, ProcessDocument] = {}
    clocks: dict[Name, ClockDocument] = {}
    disks: dict[Name, str] = {}
    faults: dict[Name, FaultDocument] = {}
    signals: SignalsDocument = SignalsDocument()
    refusals: RefusalsDocument = RefusalsDocument()
    rate_limit_per_minute: Annotated[int, Field(gt=0)] | None = None
    budget: BudgetDocument | None = None
    correlate: list[CorrelateDocument] = [CorrelateDocument(header="x-request-id")]
    instances: list[InstanceDocument] = []
    canaries: bool = False
    actions: dict[Name, ActionDocument] = {}
    limits: LimitsDocument | None = None
    notify: list[NotifyDocument] = []
