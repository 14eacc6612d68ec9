"""The frozen plan: everything that a run will do, decided before anything starts.

Written as `plan.json`; read by the load workers, the conductor, the measurements and the judge.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.model.fault import Fault, Scalar
from harness.model.objective import Objective
from harness.model.probe import Action, MadePrincipal, Probe
from harness.model.signals import Signals


class PhaseKind(enum.StrEnum):
    """What a phase is for; warm-up is never judged, fault phases judge the exposed requests."""

    WARMUP = "warmup"
    STEADY = "steady"
    FAULT = "fault"
    RECOVERY = "recovery"


class ArrivalProcess(enum.StrEnum):
    """How requests arrive: open processes fixed in advance from the seed, but for CLOSED."""

    CONSTANT = "constant"
    POISSON = "poisson"
    RAMP = "ramp"  # Poisson arrivals whose rate goes from rate_rps to end_rate_rps
    STEP = "step"  # Poisson arrivals whose rate goes from rate_rps to end_rate_rps in `steps` equal stairs
    SPIKE = "spike"  # Poisson arrivals at rate_rps, and at end_rate_rps for peak_ns from peak_at_ns
    SINE = "sine"  # Poisson arrivals whose rate swings around rate_rps, up to end_rate_rps, once every period_ns
    REPLAY = "replay"  # the moments of a recorded trace
    CLOSED = "closed"  # not arrivals: `users` who each wait for an answer, think, and ask again


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A stretch of the timeline: [start_ns, end_ns) from the run's zero."""

    name: str
    kind: PhaseKind
    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalSegment:
    """Arrivals over [start_ns, end_ns) by one process; what a process does not use is None or empty.

    peak_at_ns: from the segment's start. times_ns: a trace's moments, sorted, from the segment's start;
    prompt_tokens, max_tokens: what its requests asked, of the same length or empty.
    users, think_ns: of a closed loop, whose rate_rps is 0, because nobody can say it before.
    """

    process: ArrivalProcess
    start_ns: int
    end_ns: int
    rate_rps: float
    end_rate_rps: float | None = None
    steps: int | None = None
    peak_at_ns: int | None = None
    peak_ns: int | None = None
    period_ns: int | None = None
    times_ns: tuple[int, ...] = ()
    prompt_tokens: tuple[int, ...] = ()
    max_tokens: tuple[int, ...] = ()
    users: int | None = None
    think_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLengths:
    """How long prompts are, drawn for each by the seed: lognormal with this median and p95, between least and most."""

    median: int
    p95: int
    least: int = 1
    most: int = 100_000


class Protocol(enum.StrEnum):
    """How a class speaks to the target."""

    OPENAI_CHAT = "openai-chat"
    MESSAGE = "message"  # one JSON question, one JSON answer, as the reference service's `/message`
    HTTP = "http"  # a plain request: a good status is an answer, whatever it says


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainRequest:
    """What a class sends where it is no chat.

    body: a template: `{n}` its number; `{prompt}` and `{model}` inside JSON quotes; `{max_tokens}` a number or null.
    """

    method: str = "POST"
    path: str = "/"
    body: str | None = None
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserClass:
    """A kind of request in the mix.

    weight_ratio: share of the mix, 0..1; the weights of a mix sum to 1.
    prompts: templates dealt by the seed; `{n}` becomes the request's number, so that caches miss where wanted.
    max_tokens: what the client asks for; None leaves it to the target.
    follow_ups: what a user says after each answer, one list for each prompt, or empty; think_ns: how long after it.
    prompt_tokens: how long prompts are made with filler text; None leaves them as they are.
    timeout_ns: the class's own time limit; None is the plan's. plain: of a protocol that is no chat.
    """

    name: str
    weight_ratio: float
    prompts: tuple[str, ...]
    model: str | None = None
    max_tokens: int | None = None
    follow_ups: tuple[tuple[str, ...], ...] = ()
    think_ns: int = 0
    prompt_tokens: TokenLengths | None = None
    timeout_ns: int | None = None
    protocol: Protocol = Protocol.OPENAI_CHAT
    plain: PlainRequest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """Tagged arrivals of a check: `count` requests, all intended at `at_ns`, by one principal of its own."""

    check_id: str
    at_ns: int
    count: int
    user_class: UserClass
    principal: str
    streamed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LocustfileReference:
    """A locustfile of the user's, whose tasks are what is asked. path: absolute; digest: sha256 of its bytes."""

    path: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealt:
    """Of a run that shares its schedule with another: of each two blocks of arrivals it sends the one that the seed deals.

    arm: 0 or 1. block_ns: how long a block is.
    """

    arm: int
    block_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """What the load workers send.

    principals: how many ordinary users share the mix, named `user-0000` and on.
    locustfile: each arrival is one task of it, and the mix is one class that stands for it; None: the mix is what is asked.
    dealt: the part that a run of a pair sends; None sends all of it.
    """

    segments: tuple[ArrivalSegment, ...]
    mix: tuple[UserClass, ...]
    streamed_ratio: float
    principals: int
    request_timeout_ns: int
    drain_ns: int
    workers: int = 1
    bursts: tuple[Burst, ...] = ()
    locustfile: LocustfileReference | None = None
    dealt: Dealt | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCheck:
    """A behaviour check on the timeline: its name in the catalogue and its settings.

    not_offered: why the target cannot be put to it, naming the key that is missing; then it has no steps.
    """

    id: str
    name: str
    phase: str
    settings: Mapping[str, Scalar]
    covers: tuple[str, ...] = ()
    not_offered: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioReference:
    """Which scenario file this plan came from. digest: sha256 of its bytes."""

    name: str
    title: str
    path: str
    digest: str
    hypothesis: str | None = None
    blast_radius: str | None = None
    roll_back: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginReference:
    """A plug-in that the plan rests on. path: as the scenario names it, or the installed package; digest: sha256 of the file.

    brings: the names of what the plan uses or could use of it.
    """

    path: str
    digest: str | None
    brings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AbortCondition:
    """Ends the run when the share of bad requests stays above `error_ratio` for `for_ns`."""

    error_ratio: float
    for_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The run's zero on both clocks of the control host: CLOCK_MONOTONIC and CLOCK_REALTIME, in nanoseconds."""

    zero_monotonic_ns: int
    zero_wall_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetReference:
    """What is tested. kind: `embedded`, `containers`, `compose` or `external`; version as the target tells it."""

    kind: str
    name: str
    version: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run, decided before it starts.

    clock: None until the stack is up and the zero is fixed.
    probes, actions: what checks send and have done. principals: users made for them, with no budget of their own.
    capped_principals: users with a daily budget of their own, in dollars, beside the ordinary ones.
    planned_requests, planned_cost_usd: what the plan expects to send and to spend with every call to the primary.
    baseline: the file of an earlier run that this one is to be compared with, as it was named.
    overrides: what `--set` changed; such a run proves no checklist row.
    rehearsed: whether each fault was tried before the load; a run without it proves no checklist row.
    plugins: code of others that the run executed, by digest.
    """

    run_id: str
    created_at: str
    harness_version: str
    scenario: ScenarioReference
    target: TargetReference
    seed: int
    phases: tuple[Phase, ...]
    load: LoadPlan
    faults: tuple[Fault, ...]
    objectives: tuple[Objective, ...]
    checks: tuple[PlannedCheck, ...] = ()
    probes: tuple[Probe, ...] = ()
    actions: tuple[Action, ...] = ()
    principals: tuple[MadePrincipal, ...] = ()
    abort_when: tuple[AbortCondition, ...] = ()
    capped_principals: Mapping[str, float] = field(default_factory=dict)
    signals: Signals = field(default_factory=Signals)
    planned_requests: int = 0
    planned_cost_usd: float = 0.0
    labels: Mapping[str, str] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()
    baseline: str | None = None
    rehearsed: bool = False
    plugins: tuple[PluginReference, ...] = ()
    clock: Clock | None = None
    schema: str = "harness.plan/1"

    @property
    def end_ns(self) -> int:
        """The end of the last phase; what is in flight then has `load.drain_ns` more."""
        return self.phases[-1].end_ns

    def phase(self, name: str) -> Phase:
        """Return the phase of that name. Raises KeyError."""
        for phase in self.phases:
            if phase.name == name:
                return phase
        raise KeyError(name)
