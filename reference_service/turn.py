"""The nouns: one request on its way through the guards, and what the guards write on it."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

CacheState = Literal["hit-memory", "hit-shared", "stale", "miss", "bypass"]
Degraded = Literal["0", "no_context", "stale_cache", "canned"]
Source = Literal["primary", "secondary", "rule", "none"]
Intent = Literal["greeting", "feedback", "faq", "knowledge", "escalation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whose key it was."""

    account_id: int
    name: str
    tenant: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One message of the conversation, trimmed."""

    role: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A part of a document of the tenant's knowledge base. score: cosine of the angle to the question, at most 1."""

    document_id: str
    title: str
    text: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a client asks, after validation. max_tokens and temperature None: not given."""

    messages: tuple[Utterance, ...]
    model: str
    stream: bool
    include_usage: bool
    max_tokens: int | None
    temperature: float | None
    parameters: Mapping[str, object]

    @property
    def last(self) -> str:
        """Return the user's own message, without the conversation before it."""
        return self.messages[-1].content


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens as billed or, where nothing was said, as estimated."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer."""

    text: str
    finish_reason: str
    usage: Usage


@dataclass(slots=True, kw_only=True)
class Reservation:
    """Money held for one attempt. charged_nanousd None: not settled yet.

    used: the attempt may have been billed. complete: `usage` is the provider's last word, else only what was seen.
    """

    id: str
    model: str
    held_nanousd: int
    used: bool = False
    complete: bool = False
    charged_nanousd: int | None = None
    usage: Usage | None = None


@dataclass(slots=True, kw_only=True)
class Turn:
    """One request on its way. Each guard reads what earlier ones wrote and writes its own part.

    uid is ours and unique; request_id may come from the client and repeat. Times are of `time.monotonic`, seconds.
    `context` is put before the conversation, from `passages`; retrieval_s None: no search was made. `broken` names the
    endpoints whose stream broke before anything of it left.
    `error` is what the client was told, `reason` what only the log may know.
    `features` are those that are on for this user; `saved_nanousd` is what a cached answer had cost.
    `flight` is held while others may wait for this answer. `action` is what was asked for, as the audit log names it.
    `answer` ends the way early; `flow` is a live answer whose first piece has already arrived.
    """

    uid: str
    request_id: str
    headers: Mapping[str, str]
    read_body: Callable[[], Awaitable[bytes]]
    deadline: float
    started: float = field(default_factory=time.monotonic)
    identity: Identity | None = None
    question: Question | None = None
    intent: Intent | None = None
    complexity: float | None = None
    model: str = ""
    max_tokens: int = 0
    cache: CacheState = "bypass"
    cache_key: str | None = None
    stale: Answer | None = None
    passages: tuple[Passage, ...] = ()
    flight: object = None
    context: tuple[Utterance, ...] = ()
    retrieval_s: float | None = None
    broken: set[str] = field(default_factory=set)
    reservations: list[Reservation] = field(default_factory=list)
    answer: Answer | None = None
    flow: AsyncGenerator[str, None] | None = None
    source: Source = "none"
    attempts: int = 0
    fallback: bool = False
    circuit: str = "closed"
    degraded: Degraded = "0"
    limits: dict[str, str] = field(default_factory=dict)
    features: tuple[str, ...] = ()
    saved_nanousd: int = 0
    action: str = "ask"
    error: str | None = None
    reason: str | None = None
    settled: bool = False

    @property
    def who(self) -> Identity:
        """Return the identity; only guards after `authenticate` may ask."""
        assert self.identity is not None
        return self.identity

    @property
    def asked(self) -> Question:
        """Return the question; only guards after `validate` may ask."""
        assert self.question is not None
        return self.question

    @property
    def prompt(self) -> tuple[Utterance, ...]:
        """Return what a model is sent: the context that was found, then the conversation."""
        return (*self.context, *self.asked.messages)

    @property
    def cost_nanousd(self) -> int:
        """Return what the settled attempts cost."""
        return sum(r.charged_nanousd or 0 for r in self.reservations)

    def left_s(self) -> float:
        """Return the seconds until the deadline; negative when it has passed."""
        return self.deadline - time.monotonic()


Guard = Callable[[Turn], Awaitable[None]]
"""A guard looks at a turn, writes on it, sets its answer, or raises Refusal."""
