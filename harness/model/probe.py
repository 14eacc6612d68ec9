"""Probes and actions: what a behaviour check sends and has done on the one timeline, and what came of each."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

EVERY_INSTANCE = "*"
"""As `Probe.instance`: asked of each instance, past the balancer."""

ACTIONS: Mapping[str, tuple[str, ...]] = {
    "rotate-key": ("overlap_s",),
    "revoke-key": (),
    "update-knowledge": ("id", "title", "body"),
    "drain-instance": ("instance",),
    "start-instance": ("instance",),
    "set-feature": ("feature", "share"),
    "kill-feature": ("feature",),
    "back-up": ("canary",),
    "restore": (),
    "roll-out": ("version", "defect", "watch_s", "least", "patience_s"),
    "ask-balancer": (),
    "count-connections": (),
    "fill-global-window": ("limit", "left"),
    "tell-recorded": (),
    "promote-standby": (),
    "scan-for-secrets": (),
    "tell-key-ages": (),
    "tell-alert-rules": (),
    "tell-alert-routing": (),
    "tell-dashboards": (),
}
"""Everything that checks may have done on a target, and what each is told beside the principal."""

PROBES_SCHEMA = "harness.probe/1"


class Credential(enum.StrEnum):
    """Whose key a probe shows."""

    OWN = "own"
    NONE = "none"
    WRONG = "wrong"  # of the right shape, and nobody's
    TAMPERED = "tampered"  # the own key with other last characters
    NEW = "new"  # what an action gave the principal, `rotate-key` say


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """A probe is repeated until the JSON value at `path` equals `equals`; then its further repetitions are left out."""

    path: str
    equals: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One plain request of the control process, or `count` of them `every_ns` apart.

    name: its own within the check. principal: whose key is shown, None for nobody's. path: None is where chat goes.
    body, path, headers: `${NAME:$.json.path}` is a value of the last answer to probe NAME of the same check, `{filler}`
    becomes `filler` characters. instance: None is where load goes, a name, or every one. lane: probes and actions of one
    lane follow each other, those of different lanes go side by side; by default each check is one.
    chat: the answer is read as a chat's, else any whole answer of a good status is one.
    As a slow client sends it, head_takes_ns: so long for the head, its bytes evenly apart; body_every_ns: so long before
    each byte of the body; `timeout_ns` bounds it all the same.
    keep_bytes: how much of the answer's body is kept. after: an action of the same check, whose end it follows by
    `after_ns` at least, however long that took.
    """

    check_id: str
    name: str
    at_ns: int
    principal: str | None = None
    credential: Credential = Credential.OWN
    method: str = "POST"
    path: str | None = None
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    instance: str | None = None
    lane: str = ""
    chat: bool = True
    streamed: bool = False
    count: int = 1
    every_ns: int = 0
    until: Until | None = None
    timeout_ns: int = 6_000_000_000
    head_takes_ns: int = 0
    body_every_ns: int = 0
    filler: int = 0
    keep_bytes: int = 8_192
    after: str | None = None
    after_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something done on the target at a moment, by a capability that the target offers: `rotate-key`.

    principal: whom it concerns. arguments: what the capability takes; nothing secret.
    """

    check_id: str
    name: str
    at_ns: int
    does: str
    principal: str | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)
    lane: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadePrincipal:
    """A user that a check needs. tenant: users of one name share it, None is one of its own; role: `user` or `admin`."""

    name: str
    tenant: str | None = None
    role: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionDone:
    """What an action came to. told: figures for the judge. new_key: the principal's new key, a secret."""

    told: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    new_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRecord:
    """One exchange of a probe: a line of `exchanges/probes.jsonl`, every known key masked.

    number: which repetition, from 0. at_ns: when it was due; started_ns, ended_ns: None where it was never sent, and
    problem says why. result, source, refusal, error_kind: as of a sample. headers: lower-case names.
    """

    check_id: str
    name: str
    number: int
    instance: str | None
    principal: str | None
    credential: Credential
    method: str
    path: str
    at_ns: int
    started_ns: int | None = None
    ended_ns: int | None = None
    request_id: str = ""
    request: str = ""
    status_code: int | None = None
    result: str | None = None
    source: str | None = None
    refusal: str | None = None
    error_kind: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    body_bytes: int = 0
    problem: str | None = None
    schema: str = PROBES_SCHEMA
