"""What is sent: the user classes of a mix, and how many users share it."""

from collections.abc import Sequence
from pathlib import Path as FilePath

from harness.arrivals import peak_rps
from harness.documents.findings import Findings
from harness.errors import did_you_mean
from harness.model.plan import ArrivalSegment, PlainRequest, Protocol, TokenLengths, UserClass
from harness.model.target import Offer
from harness.scenario.classes import BUILT_IN_CLASSES
from harness.scenario.document import ClassDocument, ScenarioDocument
from harness.scenario.prompts import said_by

USERS_PER_RPS = 20
"""Users for each request per second, at a limit of 10 a minute each: an even deal then uses 30 % of it."""

LOCUSTFILE = "locustfile"
"""The one class of a mix whose requests a locustfile makes: that of an arrival until its task has asked something."""


def compile_mix(document: ScenarioDocument, offer: Offer, directory: FilePath, findings: Findings) -> tuple[UserClass, ...]:
    """Return the classes of the mix; notes unknown names and shares that do not sum to 1."""
    if offer.locustfile is not None:  # it says what is asked; its requests have classes of their own, known when they come
        return (UserClass(name=LOCUSTFILE, weight_ratio=1.0, prompts=("",)),)
    mix: list[UserClass] = []
    total = 0.0
    for name, part in document.load.mix.items():
        if isinstance(part, ClassDocument):
            total += part.share
            if (own := _own_class(name, part, offer, directory, findings)) is not None:
                mix.append(own)
            continue
        total += part
        prompts = BUILT_IN_CLASSES.get(name, ())
        if not prompts:
            known = ", ".join(BUILT_IN_CLASSES)
            hint = did_you_mean(name, BUILT_IN_CLASSES)
            findings.add(
                ("load", "mix", name),
                f"no user class is called {name!r}; known are {known}{hint}; or give it `share` and `prompts` of its own",
            )
            continue
        mix.append(UserClass(name=name, weight_ratio=part, prompts=prompts, model=offer.model))
    if abs(total - 1) > 1e-9:
        findings.add(("load", "mix"), f"the shares of the mix sum to {total:.4g}; they must sum to 100%")
    return tuple(mix)


def _own_class(name: str, part: ClassDocument, offer: Offer, directory: FilePath, findings: Findings) -> UserClass | None:
    path = ("load", "mix", name)
    said = said_by(part, directory, path, findings)
    if said is None:
        return None
    protocol = part.protocol or Protocol.OPENAI_CHAT
    if protocol is Protocol.OPENAI_CHAT and part.request is not None:
        findings.add((*path, "request"), "`request` belongs to the protocols message and http; this class is openai-chat")
    if protocol is not Protocol.OPENAI_CHAT and said.follow_ups:
        findings.add(path, f"a conversation is held in openai-chat; this class is {protocol.value}")
    lengths = part.prompt_tokens
    return UserClass(
        name=name,
        weight_ratio=part.share,
        prompts=said.prompts,
        model=part.model or offer.model,
        max_tokens=part.max_tokens,
        follow_ups=said.follow_ups,
        think_ns=part.think,
        prompt_tokens=None
        if lengths is None
        else TokenLengths(median=lengths.median, p95=lengths.p95 or lengths.median, least=lengths.least, most=lengths.most),
        timeout_ns=part.timeout,
        protocol=protocol,
        plain=None if part.request is None else PlainRequest(**part.request.model_dump()),
    )


def turns_a_request(mix: Sequence[UserClass]) -> float:
    """Return how many requests an arrival of the mix brings on average: the turns of its conversation, where all are answered."""
    return sum(
        part.weight_ratio * (1 + sum(map(len, part.follow_ups)) / len(part.prompts) if part.follow_ups else 1.0) for part in mix
    )


def users_needed(segments: Sequence[ArrivalSegment], offer: Offer) -> int:
    """Return how many users share the load, so that the target's own rate limit refuses none of it."""
    peak = max(peak_rps(segment) for segment in segments)
    if offer.rate_limit_per_minute is None:
        return max(1, round(peak), *(segment.users or 0 for segment in segments))
    return max(1, *(segment.users or 0 for segment in segments), -int(-peak * USERS_PER_RPS * 10 // offer.rate_limit_per_minute))
